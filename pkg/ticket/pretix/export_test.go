package pretix

// For fuzzing.
var (
	ParseFrame = func(code string) (payload, signature []byte, err error) {
		f, err := parseFrame(code)
		return f.payload, f.signature, err
	}
	ParseClaim = parseClaim
)

// Claim is claim.
type Claim = claim
