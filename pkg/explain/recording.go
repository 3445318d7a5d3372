package explain

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

// errInput is returned for text in which no request can be found.
var errInput = errors.New("cannot read the recording")

// maxRequests is how many requests of a recording are looked at, and maxBody
// how many bytes of an answer.
const (
	maxRequests = 10_000
	maxBody     = 64 << 10
)

// A recording collects exchanges in their order. What earlier answers set is
// known to later requests.
type recording struct {
	inputs  []Input
	earlier []Answer
}

func (r *recording) add(in Input, setCookie []string) {
	in.Recorded, in.Earlier = true, r.earlier[:len(r.earlier):len(r.earlier)]
	r.inputs = append(r.inputs, in)
	if a := (Answer{URL: in.URL, Method: in.Method, SetCookie: setCookie, Response: in.Response}); a.matters() {
		r.earlier = append(r.earlier, a)
	}
}

// matters reports whether an answer says anything about CloudFront's cookies.
func (a Answer) matters() bool {
	return a.mightSet() || slices.ContainsFunc(a.SetCookie, func(line string) bool { return strings.Contains(line, "CloudFront-") })
}

// issuing are words in the paths of endpoints that set cookies.
var issuing = regexp.MustCompile(`(?i)ticket|verify|admission|renew|session|login|auth|cookie|token|sign`)

// mightSet reports whether this looks like the answer that should have set the
// cookies, and came by way of CloudFront.
func (a Answer) mightSet() bool {
	return a.Status/100 == 2 && a.throughCloudFront() && a.Method != "GET" && a.Method != "OPTIONS" && issuing.MatchString(where(a.URL))
}

// stripped marks all requests of a recording that has no cookies at all.
func (r *recording) stripped() {
	for i := range r.inputs {
		r.inputs[i].Stripped = true
	}
}

// Refused returns those of the inputs that are worth a look: the ones that were
// refused; if none was, the ones without any answer, as a browser hides one that
// CORS forbids; if there are none, those with credentials for CloudFront; and if
// no input has an answer or credentials, all of them.
func Refused(inputs []Input) []Input {
	for _, worth := range []func(Input) bool{
		func(in Input) bool { return in.Response.Status == 403 || in.Response.Status == 413 },
		func(in Input) bool { return in.Response.Status == 0 },
		Input.signed,
	} {
		if found := slices.DeleteFunc(slices.Clone(inputs), func(in Input) bool { return !worth(in) }); len(found) > 0 {
			return found
		}
	}
	return inputs
}

func (in Input) signed() bool {
	return strings.Contains(strings.Join(in.Cookies, ";"), "CloudFront-") || strings.Contains(in.URL, "Key-Pair-Id=")
}
