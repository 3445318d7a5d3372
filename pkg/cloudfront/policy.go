package cloudfront

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"
)

// A Policy says which URLs may be fetched, when and from where. It has one
// statement; there is no way to leave the resource or the end out.
type Policy struct {
	Resource        Resource
	DateLessThan    time.Time    // the end, exclusive; whole seconds, a fraction is dropped
	DateGreaterThan time.Time    // the start, exclusive as well; zero means none
	IPAddress       netip.Prefix // IPv4 range of the viewer; zero means any address
}

// Errors of Policy.Check and of the signers.
var (
	ErrTimes  = errors.New("policy times")
	ErrIPv4   = errors.New("CloudFront matches IPv4 addresses only")
	ErrCanned = errors.New("a canned policy has one exact URL and an end, nothing else")
)

// Check returns nil if the policy can be signed: ErrUnsafeResource without a
// resource, ErrTimes for an end outside 1970 to 2038 or a start that is not
// before it, ErrIPv4 for any other address.
func (p Policy) Check() error {
	end := p.DateLessThan.Unix()
	switch {
	case p.Resource.text == "":
		return fmt.Errorf("%w: none given", ErrUnsafeResource)
	case p.DateLessThan.IsZero() || end <= 0 || end > math.MaxInt32:
		return fmt.Errorf("%w: end %s, want a time from 1970 to 2038-01-19", ErrTimes, p.DateLessThan.UTC().Format(time.RFC3339))
	case !p.DateGreaterThan.IsZero() && (p.DateGreaterThan.Unix() < 0 || p.DateGreaterThan.Unix() >= end):
		return fmt.Errorf("%w: start %s is not before end %s", ErrTimes,
			p.DateGreaterThan.UTC().Format(time.RFC3339), p.DateLessThan.UTC().Format(time.RFC3339))
	case p.IPAddress != netip.Prefix{} && (!p.IPAddress.IsValid() || !p.IPAddress.Addr().Is4()):
		return fmt.Errorf("%w: found %q", ErrIPv4, p.IPAddress)
	}
	return nil
}

// Canned reports whether the policy may be sent in the short form, without its
// text: an exact URL and an end. CloudFront rebuilds the text from the request,
// so a wildcard never matches (Developer Guide, "Code examples ... canned policy").
func (p Policy) Canned() bool {
	return !p.Resource.wild && p.DateGreaterThan.IsZero() && !p.IPAddress.IsValid()
}

// Text returns the policy in the exact bytes that are signed and sent: no
// white space, "&" unescaped.
func (p Policy) Text() []byte {
	text := make([]byte, 0, len(p.Resource.text)+200)
	text = append(text, `{"Statement":[{"Resource":"`...)
	text = append(text, p.Resource.text...) // a Resource has nothing that JSON would escape
	text = append(text, `","Condition":{"DateLessThan":`...)
	text = appendEpoch(text, p.DateLessThan)
	if !p.DateGreaterThan.IsZero() {
		text = append(text, `,"DateGreaterThan":`...)
		text = appendEpoch(text, p.DateGreaterThan)
	}
	if p.IPAddress.IsValid() {
		text = append(text, `,"IpAddress":{"AWS:SourceIp":"`...)
		text = append(text, p.IPAddress.Masked().String()...)
		text = append(text, `"}`...)
	}
	return append(text, `}}]}`...)
}

func appendEpoch(text []byte, t time.Time) []byte {
	text = append(text, `{"AWS:EpochTime":`...)
	text = strconv.AppendInt(text, t.Unix(), 10)
	return append(text, '}')
}

// cannedText returns the policy that CloudFront rebuilds for a canned request.
func cannedText(url string, expires string) []byte {
	text := make([]byte, 0, len(url)+96)
	text = append(text, `{"Statement":[{"Resource":"`...)
	text = append(text, url...)
	text = append(text, `","Condition":{"DateLessThan":{"AWS:EpochTime":`...)
	text = append(text, expires...)
	return append(text, `}}}]}`...)
}
