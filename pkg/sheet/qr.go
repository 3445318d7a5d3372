package sheet

import (
	"fmt"

	"github.com/boombuler/barcode/qr"

	"github.com/handstamp/handstamp/pkg/gate"
)

const (
	quiet     = 4    // modules around a code (ISO/IEC 18004)
	minModule = 0.33 // mm, that a telephone reads at arm's length
)

// A run is a row of dark modules side by side.
type run struct{ x, y, length int }

// A symbol is a QR code with its quiet zone.
type symbol struct {
	size int // modules
	runs []run
}

// newSymbol returns the QR code of content, error correction level M: it
// survives a crease. The error does not show the content.
func newSymbol(content gate.Secret) (symbol, error) {
	code, err := qr.Encode(content.Reveal(), qr.M, qr.Auto)
	if err != nil {
		return symbol{}, fmt.Errorf("a QR code of %d bytes: %w", len(content), ErrText)
	}
	n := code.Bounds().Dx()
	dark := func(x, y int) bool {
		red, _, _, _ := code.At(x, y).RGBA()
		return red == 0
	}
	s := symbol{size: n + 2*quiet}
	for y := range n {
		for x := 0; x < n; x++ {
			from := x
			for x < n && dark(x, y) {
				x++
			}
			if x > from {
				s.runs = append(s.runs, run{from + quiet, y + quiet, x - from})
			}
		}
	}
	return s, nil
}
