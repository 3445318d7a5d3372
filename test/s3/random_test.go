package s3_test

import (
	"crypto/rand"
	"encoding/binary"
	"io"
)

// text returns n random characters, at most 26.
func text(n int) string { return rand.Text()[:n] }

// A counting reads as its own offsets: eight bytes each, big endian. What is
// read anywhere can be checked without the rest.
type counting struct{ at, size int64 }

func (c *counting) Read(p []byte) (int, error) {
	if c.at >= c.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), c.size-c.at))
	var word [8]byte
	for i := range n {
		at := c.at + int64(i)
		if i == 0 || at%8 == 0 {
			binary.BigEndian.PutUint64(word[:], uint64(at/8))
		}
		p[i] = word[at%8]
	}
	c.at += int64(n)
	return n, nil
}

func (c *counting) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.size
	}
	c.at = offset
	return offset, nil
}
