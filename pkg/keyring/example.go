package keyring

import "crypto"

// exampleFingerprint is the fingerprint of the key in keys.example. The key is
// published with the source, so whoever signs with it has opened their content
// to everybody; it is known by its fingerprint wherever it is copied to.
const exampleFingerprint = "455c8477f93463fd470cda53c9f7795b7cb1783189b0f24b2f658950543cefda"

func isExample(public crypto.PublicKey) bool {
	fingerprint, err := Fingerprint(public)
	return err == nil && fingerprint == exampleFingerprint
}
