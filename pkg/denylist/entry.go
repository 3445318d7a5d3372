package denylist

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// What stands in the store. The value of an entry is the time, in seconds since
// 1970, until which it matters: the latest expiry that a cookie signed before
// the revocation can have. The function has the same constants.
const (
	ours       = "handstamp:"    // all other keys belong to somebody else and stay
	prefixKey  = ours + "p:"     // and a path prefix: refuse what it has opened and expires at that time or before
	sessionKey = ours + "s:"     // and the SHA-256 of a session in hex: refuse who shows it
	maxDepth   = 8               // segments of a prefix that the function looks at
	skew       = 2 * time.Second // that the clocks of gateways and CloudFront may be apart
)

// keyOfPrefix returns the key of an attraction's prefix, without outer slashes.
// It reports false for one that the function would not find.
func keyOfPrefix(prefix string) (string, bool) {
	segments := strings.Split(prefix, "/")
	for _, s := range segments {
		if gate.CheckSlug(s) != nil {
			return "", false
		}
	}
	return prefixKey + prefix, len(segments) <= maxDepth
}

func keyOfSession(s gate.SessionHash) string { return sessionKey + hex.EncodeToString(s[:]) }

func formatTime(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// parseTime returns the time in a value, zero if there is none.
func parseTime(value string) time.Time {
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}
