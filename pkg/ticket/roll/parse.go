package roll

import (
	"errors"
	"fmt"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

// columns are the names that a list may use.
var columns = []string{"code", "attraction", "packages", "seats", "valid_from", "valid_until", "note",
	"day", "slot_from", "slot_until", "days", "hours"}

const (
	maxProblems = 20
	maxLine     = 64 << 10 // bytes
)

// An Error lists the lines of a file that cannot be used.
type Error struct {
	Problems []string
	More     int // further ones that are not listed
}

func (e *Error) Error() string {
	text := strings.Join(e.Problems, "\n")
	if e.More > 0 {
		text += fmt.Sprintf("\nand %d more", e.More)
	}
	return text
}

type parser struct {
	name     string
	roll     *Roll
	opts     Options
	problems []string
	more     int
}

func (p *parser) problem(line int, err error) {
	if len(p.problems) >= maxProblems {
		p.more++
		return
	}
	p.problems = append(p.problems, fmt.Sprintf("%s:%d: %v", p.name, line, err))
}

// add checks a row and puts it on the roll.
func (p *parser) add(line int, r row, err error) {
	if err == nil {
		err = r.check()
	}
	if err != nil {
		p.problem(line, err)
		return
	}
	normal, err := ticket.Normalise(gate.Secret(r.Code))
	if err != nil {
		p.problem(line, fmt.Errorf("code: %w", err))
		return
	}
	key := p.roll.digest(normal)
	if _, twice := p.roll.entries[key]; twice {
		p.problem(line, errors.New("code: stands on the list already"))
		return
	}
	if p.roll.entries[key], err = p.ticket(r); err != nil {
		p.problem(line, err)
	}
}
