package main

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is the empty border of a QR code, in modules (ISO/IEC 18004 asks for 4;
// readers of screens are content with 2).
const quiet = 2

// qrLines draws a QR code with half blocks, two rows of modules a line. On a
// terminal it is black on white whatever the terminal's colours are.
func qrLines(text string, colour bool) ([]string, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("QR code of %d bytes: %w", len(text), err)
	}
	size := code.Bounds().Dx()
	dark := func(x, y int) bool {
		if x < 0 || y < 0 || x >= size || y >= size {
			return false
		}
		red, _, _, _ := code.At(x, y).RGBA()
		return red == 0
	}
	var lines []string
	for y := -quiet; y < size+quiet; y += 2 {
		var b strings.Builder
		for x := -quiet; x < size+quiet; x++ {
			b.WriteString(halfBlock(dark(x, y), dark(x, y+1) || y+1 >= size+quiet))
		}
		line := b.String()
		if colour {
			line = "\x1b[30;107m" + strings.NewReplacer("█", " ", " ", "█", "▀", "▄", "▄", "▀").Replace(line) + "\x1b[0m"
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// halfBlock draws two modules in the light on dark of most terminals: a light
// module is a filled one.
func halfBlock(upper, lower bool) string {
	switch {
	case upper && lower:
		return " "
	case upper:
		return "▄"
	case lower:
		return "▀"
	}
	return "█"
}

// sideBySide joins blocks of lines of equal height with titles below.
func sideBySide(blocks [][]string, titles []string) string {
	height := 0
	for _, block := range blocks {
		height = max(height, len(block))
	}
	var b strings.Builder
	for y := range height {
		for _, block := range blocks {
			if y < len(block) {
				b.WriteString("  " + block[y])
			}
		}
		b.WriteByte('\n')
	}
	for i, title := range titles {
		fmt.Fprintf(&b, "  %-*s", width(blocks[i][0]), title)
	}
	return b.String() + "\n"
}

// width counts the characters that show.
func width(line string) int {
	line = strings.TrimSuffix(strings.TrimPrefix(line, "\x1b[30;107m"), "\x1b[0m")
	return len([]rune(line))
}
