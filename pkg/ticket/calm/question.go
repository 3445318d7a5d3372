package calm

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"
	"sync"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A question is all that a source is shown. Its ref is set when it is asked
// about a ticket again, else its credential.
type question struct {
	credential  gate.Credential
	source, ref string
	again       bool
}

// ask puts the question to v.
func (q question) ask(ctx context.Context, v gate.Verifier, r gate.Rechecker) (*gate.Ticket, error) {
	if q.again {
		return r.Recheck(ctx, q.source, q.ref)
	}
	return v.Verify(ctx, q.credential)
}

// kept returns q as one that outlives the caller, who may change the factors.
func (q question) kept() question {
	q.credential.Factors = maps.Clone(q.credential.Factors)
	return q
}

// A key stands for a question. Nobody can tell for which without the secret of
// the source.
type key [sha256.Size]byte

// A sealer makes keys: HMAC-SHA-256 over parts with their lengths in front, so
// that no two lists of parts have one key.
type sealer struct{ pool sync.Pool }

// A pen is what one key is written with. It is reused, as every viewer needs
// one and nobody should wait for it.
type pen struct {
	mac   hash.Hash
	text  []byte
	names []string
}

func newSealer() *sealer {
	secret := []byte(rand.Text())
	return &sealer{pool: sync.Pool{New: func() any { return &pen{mac: hmac.New(sha256.New, secret)} }}}
}

// question returns the key of q.
func (s *sealer) question(q question) key {
	p := s.pool.Get().(*pen)
	if q.again {
		p.add("recheck")
		p.add(q.source)
		p.add(q.ref)
		return s.end(p)
	}
	c := q.credential
	p.add("verify")
	p.add(c.Attraction)
	p.add(c.Code.Reveal())
	for name := range c.Factors {
		p.names = append(p.names, name)
	}
	slices.Sort(p.names)
	for _, name := range p.names {
		p.add(name)
		p.add(c.Factors[name].Reveal())
	}
	return s.end(p)
}

func (p *pen) add(part string) {
	p.text = binary.BigEndian.AppendUint64(p.text, uint64(len(part)))
	p.text = append(p.text, part...)
}

// end returns the key and wipes the pen.
func (s *sealer) end(p *pen) key {
	p.mac.Reset()
	p.mac.Write(p.text)
	clear(p.text)
	p.text = p.mac.Sum(p.text[:0])
	k := key(p.text)
	clear(p.names)
	p.text, p.names = p.text[:0], p.names[:0]
	s.pool.Put(p)
	return k
}
