package web

import "github.com/handstamp/handstamp/pkg/gate"

// An Effect says what asking does to a ticket.
type Effect string

// The effects. The zero value of Config.Effect means Read.
const (
	Read    Effect = "read"    // nothing
	Consume Effect = "consume" // it counts as used from then on
)

// A Config describes an API. Request.URL, Answer.Shape, Decide.Valid and
// Decide.Grants cannot be empty, and neither can Decide.Echo, see there.
type Config struct {
	Effect Effect // what the API does with a ticket that it is asked about; empty means Read

	// AllowConsume accepts the effect Consume, which may take the visit away
	// that the visitor paid for, or bill it.
	AllowConsume bool

	Code    Code
	Factors []Factor // what a viewer must show beside the code; all of them
	Request Request
	Auth    Auth
	Answer  Answer
	Decide  Decide
}

// A Code says how codes are spelled. The zero Code is that of ticket.Normalise.
type Code struct {
	Exact     bool   // capital and small letters, hyphens and every other printable ASCII character count; outer spaces do not
	Lower     bool   // letters are small, not capital
	Hyphens   bool   // hyphens count
	Pattern   string // regular expression that the whole normal form must match, or it is malformed; empty means any
	Guessable bool   // codes are not random, in sequence for example: their length proves nothing
}

// A Factor is something that a viewer knows beside a weak code.
type Factor struct {
	Name string // in gate.Credential.Factors

	// Equals is an expression for what it must be, a string. Case, accents,
	// spaces and punctuation do not count. Empty means that the API compares
	// it: then it must stand in the request.
	Equals string
}

// A Request is how the API is asked.
type Request struct {
	Method string            // GET or POST; empty means GET, or POST if there is a body
	URL    string            // template; https, or http to a network that Options.Outbound allows
	Header map[string]string // templates
	Body   string            // template
	Type   BodyType          // of Body; empty means JSON
}

// A BodyType says what a body is, and so how it is escaped.
type BodyType string

// The types of bodies.
const (
	JSON BodyType = "json"
	XML  BodyType = "xml"
	Form BodyType = "form" // application/x-www-form-urlencoded; of requests only
	Text BodyType = "text" // of answers only: a single string, without outer white space
)

// An Answer is what the API says.
type Answer struct {
	Format     BodyType // JSON, XML or Text; empty means JSON
	MediaTypes []string // accepted beside the usual ones of the format, such as "text/plain" for JSON
	Verdicts   []int    // statuses whose body is Shape; empty means 200
	Refusals   []int    // statuses whose body is RefusalShape, which can refuse and no more; empty means none
	Unknown    []int    // statuses that mean without a body that there is no such ticket; empty means 404 and 410, unless they are listed above

	Shape        string // see the package comment
	RefusalShape string // likewise; needed if Refusals has any
}

// Decide has the expressions that say what an answer means.
type Decide struct {
	// Select is an expression for the parts of the answer that are about the
	// code: a list, or one object. None means that there is no such ticket.
	// Several that are valid are one ticket: what they buy together, for the
	// time that they have in common, with the seats of the one that has most.
	// Empty means the body.
	Select string

	// Echo is an expression for the code that an item is about, a string. It
	// must be the code that was asked, or the item is no verdict. An item
	// without one can only refuse.
	Echo string

	// InsecureNoEcho allows Echo to be empty, for an API that does not say
	// which ticket it talks about: an answer that got mixed up on the way
	// then admits the wrong person.
	InsecureNoEcho bool

	Valid    string   // bool: the item is a ticket that may come in; used before is no reason against it
	Reasons  []Reason // why not, the first that holds; none of them is gate.ReasonSeeStaff
	Refusals []Reason // likewise for Answer.Refusals, with problem instead of body and item; none of them means that nobody knows
	Grants   []Grant  // what a valid item buys: all that hold; none of them is gate.ReasonNotIncluded

	Seats     string // int: devices at a time; empty or 0 means gate.Ticket's default
	From      string // time: valid from then on
	Until     string // time: valid until just before
	FirstUse  string // time: when it was first used at the gate
	Day       string // time: good on the day of this time only
	SlotFrom  string // time: beginning of a timed entry
	SlotUntil string // time: its end
}

// A Reason is why a ticket is refused.
type Reason struct {
	When   string // bool; empty means always
	Reason gate.Reason
}

// A Grant is something that a ticket buys.
type Grant struct {
	When       string // bool; empty means always
	Attraction string // id
	Package    string // id; empty means every package of the attraction
}

// Auth is how the gateway shows who it is. The zero Auth does not. At most one
// of Basic, Bearer, OAuth2 and Login is set. A client certificate is part of
// Options.Outbound.
type Auth struct {
	Basic  *Basic
	Bearer gate.Secret // Authorization: Bearer
	Header []Field     // keys in headers
	Query  []Field     // keys in the query, if it must be: servers log it
	OAuth2 *OAuth2
	Login  *Login
}

// Basic is HTTP Basic authentication.
type Basic struct {
	User     string
	Password gate.Secret
}

// A Field is a named secret.
type Field struct {
	Name  string
	Value gate.Secret
}

// OAuth2 gets a token by client credentials (RFC 6749, section 4.4) and uses it
// until it expires or the API answers 401.
type OAuth2 struct {
	URL      string // of the token endpoint
	ID       string
	Secret   gate.Secret
	Scope    string // empty means none
	Audience string // empty means none
	InBody   bool   // the secret is sent in the body and not by HTTP Basic
}

// Login gets a key by a request of its own and uses it until the API answers
// 401.
type Login struct {
	URL    string
	Header map[string]string
	Body   gate.Secret // sent as it is, with POST
	Type   BodyType    // of Body; empty means JSON
	Token  string      // where the key is in the JSON answer: names joined by dots
	Name   string      // of the header that the key is sent in; empty means Authorization
	Prefix string      // in front of the key, such as "Bearer "
}
