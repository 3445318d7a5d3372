// Package web verifies tickets with any HTTP API, by configuration: which
// request asks about a code, what the answer looks like, and which expressions
// decide what it means. Presets has the configurations of some known systems.
//
// # A question
//
// Request.URL, its headers and its body are templates. {code} is the normal
// form of the code, {attraction} the id of the attraction where the viewer
// stands (may be empty), {factor.NAME} a factor, {uuid} a random UUID for
// tracing, {now} the time in RFC 3339, UTC. Each is escaped for where it stands,
// and stays one segment of a path, one value of a query, one string of JSON, one
// text of XML. It cannot stand in the host.
//
// # An answer
//
// Only the statuses in Answer.Verdicts, only with a body of the right media type,
// are a verdict. Answer.Shape declares the fields that are read, with their
// types; everything else in the answer is dropped before anybody looks at it:
//
//	{"valid": "bool", "ticket": {"code": "string", "until": "string?"}, "units": [{"id": "string"}]}
//
// The types are bool, string, int, number (a fraction is allowed) and id (a
// string, or a whole number taken as one). A value of another type, and a
// missing one or null, makes the answer unusable, unless a question mark allows
// it to be missing or null: then it is false, "", 0, an empty list or an object
// of such. An object or a list may be missing if its key ends in a question
// mark: {"slot?": {...}}. XML elements are named without their name space and
// attributes with an "@" in front; a text beside attributes is "#text".
//
// # A decision
//
// Expressions are those of github.com/expr-lang/expr. They see
//
//	body        the answer, as declared
//	item        the part of it that Decide.Select picked, or body
//	problem     the answer to a status in Answer.Refusals, as declared
//	status      the HTTP status
//	headers     of the answer, by lower-case name
//	code        the normal form that was asked about
//	attraction  where the viewer stands; may be empty
//	now         the time
//
// and are compiled when the source is made: a field that is not declared, a
// comparison of two types and a result of the wrong type are errors then. To the
// functions of that language, but for those that read a clock or whose result
// has no type, come
//
//	time(s)        RFC 3339, or a local time without an offset; of a clock change the earlier one
//	timeEnd(s)     the same, but of a clock change the later one
//	day(s)         the beginning of a day like "2026-07-01"
//	dayEnd(s)      the end of that day
//	parse(s, l)    a local time by a layout of Go's package time
//	epoch(n)       seconds since 1970
//	millis(n)      milliseconds since 1970
//	dotnet(s)      "/Date(1782900000000)/"
//	earliest(l)    of a list of times, without zero ones
//	latest(l)      likewise
//
// The empty text and 0 are the zero time, which means that there is no limit.
// Times without an offset are those of Options.Zone.
//
// # What it withstands
//
// Package outbound asks. An answer about another code than the one asked is a
// failure, whatever it says. Statuses that are not listed, an unusable body and
// an expression that fails mean that nobody knows.
package web
