package cloudfront

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A loosePolicy is a policy as encoding/json reads it: unknown members are
// passed over and the last of two counts.
type loosePolicy struct {
	Statement json.RawMessage
}

type looseStatement struct {
	Resource  string
	Condition struct {
		DateLessThan, DateGreaterThan *struct {
			Epoch json.RawMessage `json:"AWS:EpochTime"`
		}
		IPAddress *struct {
			Source string `json:"AWS:SourceIp"`
		} `json:"IpAddress"`
	}
}

// readLoosely reads what a lenient reader might accept: a statement without
// its array, unknown members, times in quotes, addresses without a mask. A
// policy still needs one statement with an end.
func readLoosely(text []byte) (*statement, error) {
	var policy loosePolicy
	if err := json.Unmarshal(text, &policy); err != nil {
		return nil, fmt.Errorf("%w: not JSON", errPolicy)
	}
	var list []looseStatement
	if err := json.Unmarshal(policy.Statement, &list); err != nil {
		list = make([]looseStatement, 1)
		if err := json.Unmarshal(policy.Statement, &list[0]); err != nil {
			return nil, fmt.Errorf("%w: no statement", errPolicy)
		}
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("%w: %d statements, want one", errPolicy, len(list))
	}
	return list[0].statement()
}

func (l *looseStatement) statement() (s *statement, err error) {
	s = &statement{resource: l.Resource}
	if l.Condition.DateLessThan == nil {
		return nil, fmt.Errorf("%w: DateLessThan is missing", errPolicy)
	}
	if s.end, err = looseEpoch(l.Condition.DateLessThan.Epoch); err != nil {
		return nil, err
	}
	if start := l.Condition.DateGreaterThan; start != nil {
		s.hasStart = true
		if s.start, err = looseEpoch(start.Epoch); err != nil {
			return nil, err
		}
	}
	if ip := l.Condition.IPAddress; ip != nil {
		if s.network, err = looseNetwork(ip.Source); err != nil {
			return nil, err
		}
	}
	s.pattern = compile(cmp.Or(s.resource, "*"))
	return s, nil
}

func looseEpoch(text json.RawMessage) (int64, error) {
	seconds, err := strconv.ParseInt(strings.Trim(string(text), `"`), 10, 64)
	if err != nil || seconds < 0 {
		return 0, fmt.Errorf("%w: a time that is no whole number of seconds", errPolicy)
	}
	return seconds, nil
}

func looseNetwork(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Is4() {
		return netip.PrefixFrom(ip, 32), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil || !network.Addr().Is4() {
		return netip.Prefix{}, fmt.Errorf("%w: an address that is not IPv4", errPolicy)
	}
	return network.Masked(), nil
}
