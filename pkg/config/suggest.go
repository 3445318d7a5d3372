package config

import (
	"fmt"
	"strings"
)

// didYouMean returns `, did you mean "x"?` for the word of known that is most
// like word, and nothing when none is.
func didYouMean(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return fmt.Sprintf(", did you mean %q?", best)
	}
	return ""
}

// nearest returns the word of known that differs from word by a slip or two,
// counting neither case nor hyphens for underscores.
func nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	word = plain(word)
	best, least := "", min(3, (len(word)+1)/3)+1
	for _, k := range known {
		if d := distance(word, plain(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

func plain(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// distance returns how many letters must be put in, left out, changed or
// swapped with their neighbour to turn a into b.
func distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			d[i][j] = min(d[i-1][j], d[i][j-1], d[i-1][j-1]) + 1
			if a[i-1] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-1][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// unknownKey says what may have been meant by name among fields, in a file of
// the given schema.
func unknownKey(name string, fields, schema []*field) string {
	siblings := names(fields)
	if hint := didYouMean(name, siblings); hint != "" {
		return "unknown key" + hint
	}
	if scalar(schema, name) != nil {
		return fmt.Sprintf("unknown key, write it nested: %s", strings.ReplaceAll(name, ".", ": { ")+": ... }")
	}
	for _, k := range list(schema, true) {
		if strings.HasSuffix(k.Path, "."+name) {
			return fmt.Sprintf("unknown key here, did you mean %q?", k.Path)
		}
	}
	return "unknown key, want " + oneOf(siblings)
}
