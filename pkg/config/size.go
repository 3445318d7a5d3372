package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// A Size is a number of bytes. It is written with a binary unit: 10MiB.
type Size int64

var sizeText = regexp.MustCompile(`^([0-9]{1,9})(B|KiB|MiB|GiB)$`)

var sizeUnits = map[string]int64{"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

func parseSize(s string) (Size, error) {
	m := sizeText.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("%s is not a size, want one with its unit, like 500KiB, 10MiB or 2GiB", quote(s))
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // nine digits
	if n > math.MaxInt64/sizeUnits[m[2]] {
		return 0, fmt.Errorf("%s is too large", quote(s))
	}
	return Size(n * sizeUnits[m[2]]), nil
}

// String writes s with the largest unit that needs no fraction.
func (s Size) String() string {
	for _, unit := range []string{"GiB", "MiB", "KiB"} {
		if n := sizeUnits[unit]; s != 0 && int64(s)%n == 0 {
			return strconv.FormatInt(int64(s)/n, 10) + unit
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}
