// Package roll verifies tickets against a list that somebody exported: a CSV
// file, or JSON with one ticket a line.
//
// A CSV file begins with a header. Known columns, in any order:
//
//	code          required
//	attraction    required; several separated by ";"
//	packages      separated by ";", each a package id, or attraction/package; empty means every package
//	seats         devices at a time; empty means the configured default
//	valid_from    RFC 3339; empty means always
//	valid_until   RFC 3339, exclusive; empty means for ever
//	note          for people; not read
//
// A JSON line has the same names, with lists for attraction and packages.
package roll

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

// Kind is the kind of credential that a roll verifies.
const Kind = "code"

// A Roll is a list of tickets in memory. It does not change after it is made.
type Roll struct {
	// entries are found by the hash of the normal form, so that the codes
	// themselves do not stay in memory.
	entries map[[sha256.Size]byte]gate.Ticket
}

// Options tunes Load. The zero value is ready for use.
type Options struct {
	// Check returns an error for a product that is not configured; nil accepts all.
	Check func(gate.Product) error
}

// maxFile is the largest list, in bytes, that is held in memory.
const maxFile = 256 << 20

// Load reads the list in file, CSV or, by the name's ending, JSON Lines
// (.jsonl, .ndjson). Every line that cannot be used is reported, and then
// nothing is loaded: a half-read list would turn good tickets away.
func Load(file string, opts Options) (*Roll, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s: %d bytes, at most %d fit into memory", file, info.Size(), maxFile)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, text, opts)
}

// Parse is Load for a text that has been read already; name is for messages
// and picks the format.
func Parse(name string, text []byte, opts Options) (*Roll, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // spreadsheets write it
	p := &parser{name: filepath.Base(name), roll: &Roll{entries: map[[sha256.Size]byte]gate.Ticket{}}, opts: opts}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jsonl", ".ndjson":
		p.readJSON(text)
	default:
		p.readCSV(text)
	}
	if len(p.problems) > 0 {
		return nil, &Error{Problems: p.problems, More: p.more}
	}
	return p.roll, nil
}

// Len returns the number of tickets.
func (r *Roll) Len() int { return len(r.entries) }

// Verify implements gate.Verifier.
func (r *Roll) Verify(_ context.Context, c gate.Credential) (*gate.Ticket, error) {
	normal, err := ticket.Normalise(c.Code)
	if err != nil {
		return nil, err
	}
	t, ok := r.entries[sha256.Sum256([]byte(normal.Reveal()))]
	if !ok {
		return nil, gate.Deny(gate.ReasonUnknown, nil)
	}
	t.Kind, t.Normal, t.Proven = Kind, normal, ticket.Proven(normal)
	t.Buys = slices.Clone(t.Buys)
	return &t, nil
}
