package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Problem is one thing that is wrong with a configuration. Text never holds
// the value of a secret.
type Problem struct {
	File string // the file as it was named to Load, an environment variable, or "command line"
	Line int    // line in the file, from 1; 0 when there is none to point at
	Key  string // like cookies.lifetime or attractions[0].prefix; empty for the file as a whole
	Text string // what was found and what was wanted
}

// String returns p as "config.yaml:12: cookies.lifetime: text".
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	return b.String() + p.Text
}

// An Error says why a configuration was refused.
type Error struct {
	Problems []Problem // at least one: those of the file by line, then the others
	Err      error     // why the file could not be read, else nil
}

// maxShown keeps the answer to a file that is something else readable.
const maxShown = 50

// Error returns the problems, one a line; beyond 50 only how many there are.
func (e *Error) Error() string {
	var lines []string
	for i, p := range e.Problems {
		if i == maxShown {
			lines = append(lines, fmt.Sprintf("and %d more problems", len(e.Problems)-maxShown))
			break
		}
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns e.Err, so that errors.Is finds fs.ErrNotExist.
func (e *Error) Unwrap() error { return e.Err }

// report returns problems as an error, in the order of the lines, nil for none.
func report(file string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if (a.File == file) != (b.File == file) {
			if a.File == file {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Line, b.Line)
	})
	return &Error{Problems: problems}
}
