package mirror

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"os"
)

// The sizes of parts, in bytes (Amazon S3 User Guide, multipart upload limits).
const (
	DefaultPartSize = 16 << 20
	minPartSize     = 5 << 20
	maxParts        = 10_000
)

// partSize returns how large the parts of a file are. It follows from the size
// alone, or the next run would not find its checksum again.
func partSize(size, least int64) int64 {
	const step = 1 << 20
	part := (size + maxParts - 1) / maxParts
	return max(least, (part+step-1)/step*step)
}

// A sum is the SHA-256 of a file as the bucket has it.
type sum struct {
	// text is the hash in base64 or, for a file in parts, that of its parts'
	// hashes with "-" and their number, which S3 calls a composite checksum.
	text  string
	parts []string // the hash of each, in base64; nil if the file goes in one
	part  int64    // size of all but the last, in bytes
}

// sumOf reads size bytes.
func sumOf(r io.Reader, size, least int64) (*sum, error) {
	if size <= least {
		text, _, err := hash(r, size)
		return &sum{text: text}, err
	}
	s := &sum{part: partSize(size, least)}
	all := sha256.New()
	for rest := size; rest > 0; rest -= s.part {
		text, raw, err := hash(r, min(rest, s.part))
		if err != nil {
			return nil, err
		}
		s.parts = append(s.parts, text)
		all.Write(raw)
	}
	s.text = fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(all.Sum(nil)), len(s.parts))
	return s, nil
}

func hash(r io.Reader, size int64) (text string, raw []byte, err error) {
	h := sha256.New()
	if _, err := io.CopyN(h, r, size); err != nil {
		return "", nil, fmt.Errorf("the file is shorter than it was: %w", err)
	}
	raw = h.Sum(nil)
	return base64.StdEncoding.EncodeToString(raw), raw, nil
}

// sum reads a file of the folder.
func (m *Mirror) sum(name string, size int64) (*sum, error) {
	f, err := m.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return sumOf(f, size, m.opts.PartSize)
}

func (m *Mirror) open(name string) (*os.File, error) { return m.root.Open(name) }
