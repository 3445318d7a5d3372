package throttle

import (
	"crypto/sha256"
	"net/netip"
)

// An Attempt is somebody who shows a credential.
type Attempt struct {
	// Fingerprint stands for everything that was shown, in its normal form: the
	// code and, where it needs them, its factors. It is a keyed hash, so that
	// nobody can choose it. Zero means that what was shown cannot be a code.
	Fingerprint [32]byte
	// Reference stands for the code without its factors, such as a booking
	// reference that goes with a surname; guesses at the factors are counted on
	// it. Zero means that there are no factors, and the code says it all.
	Reference  [32]byte
	Client     netip.Addr // from clientip; those without an address share one
	Attraction string     // id; empty means that the viewer did not say
	Kind       string     // of credential; the guard watches every kind of every attraction
	Device     string     // id in the anonymous, signed device cookie; empty means none
	Issued     string     // id in the one that the answer sets, if there was none: a good credential becomes known on it
	Strong     bool       // the code has 64 bits or more: nobody guesses it
	Session    bool       // it is no code but a session, 128 random bits: only the load counts
	Challenged bool       // a challenge was passed for this attempt
}

// random reports whether nobody can guess what was shown.
func (a *Attempt) random() bool { return a.Strong || a.Session }

func (a *Attempt) readable() bool { return a.Fingerprint != [32]byte{} }

// guessable reports whether another try at the same key may be a new guess.
func (a *Attempt) guessable() bool { return a.Reference != [32]byte{} }

func (a *Attempt) credentialKey() Key {
	if a.guessable() {
		return Key{Axis: Credential, ID: [16]byte(a.Reference[:16])}
	}
	return Key{Axis: Credential, ID: [16]byte(a.Fingerprint[:16])}
}

func (a *Attempt) waitingKey() Key {
	return Key{Axis: Waiting, ID: [16]byte(a.Fingerprint[:16])}
}

func (a *Attempt) deviceKey() Key { return Key{Axis: Device, ID: digest(a.Device, "")} }

func (a *Attempt) attractionKey() Key {
	return Key{Axis: Attraction, ID: digest(a.Attraction, a.Kind)}
}

// What is in Key.Part of Known.
const (
	knownOnDevice = iota
	knownAtAll
)

// knownKey names the credential on one device. A code alone would not do: who
// guesses must not get past the limits with the codes of others.
func (a *Attempt) knownKey(device string) Key {
	return Key{Axis: Known, Part: knownOnDevice, ID: digest(string(a.Fingerprint[:]), device)}
}

func (a *Attempt) seenKey() Key {
	return Key{Axis: Known, Part: knownAtAll, ID: [16]byte(a.Fingerprint[:16])}
}

// digest is one value for two texts, each with its length. Short ones are
// their own digest.
func digest(one, two string) (id [16]byte) {
	var buf [128]byte
	text := append(buf[:0], byte(len(one)>>8), byte(len(one)), byte(len(two)))
	text = append(append(text, one...), two...)
	if len(text) <= len(id) {
		copy(id[:], text)
		return id
	}
	sum := sha256.Sum256(text)
	return [16]byte(sum[:16])
}
