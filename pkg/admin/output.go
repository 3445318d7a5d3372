package admin

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// ErrUnprintable is what a Printer returns, wrapped, for tickets that its form
// cannot show. Its text is for the caller; nothing has been issued then.
var ErrUnprintable = errors.New("cannot be printed")

// A Ticket is one that was just issued, for a Printer.
type Ticket struct {
	ID         string
	Code       gate.Secret // as it is printed
	Attraction string      // id
	Packages   []string    // ids; none means everything
	Seats      int         // devices at a time; 0 means the configured default
	ValidFrom  time.Time   // zero means always
	ValidUntil time.Time   // exclusive; zero means for ever
	Note       string
	Batch      string
}

// The media types of new tickets that need no Printer.
const (
	kindJSON = "application/json"
	kindCSV  = "text/csv"
)

// A writer puts a batch into the form that was asked for.
type writer func(b *batch) (*output, error)

// output returns the writer for what a request accepts (RFC 9110, section
// 12.5.1), JSON if it does not say.
func (s *Server) output(r *http.Request) (writer, error) {
	kind, ok := accepted(strings.Join(r.Header.Values("Accept"), ","), s.kinds())
	if !ok {
		return nil, &requestError{status: http.StatusNotAcceptable, code: "not_acceptable",
			detail: "Accept one of: " + strings.Join(s.kinds(), ", ") + "."}
	}
	print := s.opts.Print[kind]
	switch kind {
	case kindJSON:
		print = printJSON
	case kindCSV:
		print = printCSV
	}
	return func(b *batch) (*output, error) {
		o := &output{kind: kind}
		err := print(&o.body, s.tickets(b))
		if errors.Is(err, ErrUnprintable) {
			return nil, &requestError{status: http.StatusNotAcceptable, code: "not_acceptable", detail: "As " + kind + ": " + err.Error() + "."}
		}
		if err != nil {
			return nil, fmt.Errorf("print as %s: %w", kind, err)
		}
		return o, nil
	}, nil
}

// kinds are the media types that there are, JSON first.
func (s *Server) kinds() []string {
	kinds := []string{kindJSON, kindCSV}
	for kind := range s.opts.Print {
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds[2:])
	return kinds
}

// accepted returns the one of kinds that the header prefers.
func accepted(header string, kinds []string) (string, bool) {
	if strings.TrimSpace(header) == "" {
		return kinds[0], true
	}
	best, weight := "", 0.0
	for part := range strings.SplitSeq(header, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		if kind == "*/*" || kind == "application/*" {
			kind = kinds[0]
		}
		q, err := strconv.ParseFloat(cmp.Or(params["q"], "1"), 64)
		if err == nil && q > weight && slices.Contains(kinds, kind) {
			best, weight = kind, q
		}
	}
	return best, best != ""
}

func (s *Server) tickets(b *batch) []Ticket {
	all := make([]Ticket, len(b.records))
	for i, r := range b.records {
		all[i] = Ticket{ID: r.ID, Code: s.office.Issuer.Show(b.codes[i]), Attraction: r.Products[0].Attraction, Packages: []string{},
			Seats: r.Seats, ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil, Note: r.Note, Batch: r.Batch}
		for _, p := range r.Products {
			if p.Package != "" {
				all[i].Packages = append(all[i].Packages, p.Package)
			}
		}
	}
	return all
}

// A newTicketReply is the only place in a reply that a code has.
type newTicketReply struct {
	ID         string    `json:"id"`
	Code       string    `json:"code"`
	Attraction string    `json:"attraction"`
	Packages   []string  `json:"packages"`
	Seats      int       `json:"seats,omitempty"`
	ValidFrom  time.Time `json:"valid_from,omitzero"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
	Note       string    `json:"note,omitempty"`
}

type batchReply struct {
	Batch   string           `json:"batch"`
	Tickets []newTicketReply `json:"tickets"`
}

func printJSON(w io.Writer, tickets []Ticket) error {
	reply := batchReply{Batch: tickets[0].Batch}
	for _, t := range tickets {
		reply.Tickets = append(reply.Tickets, newTicketReply{ID: t.ID, Code: t.Code.Reveal(), Attraction: t.Attraction, Packages: t.Packages,
			Seats: t.Seats, ValidFrom: t.ValidFrom.UTC(), ValidUntil: t.ValidUntil.UTC(), Note: t.Note})
	}
	return json.NewEncoder(w).Encode(reply)
}

// printCSV writes a table (RFC 4180) that no spreadsheet takes for formulas.
func printCSV(w io.Writer, tickets []Ticket) error {
	table := csv.NewWriter(w)
	rows := [][]string{{"id", "code", "attraction", "packages", "seats", "valid_from", "valid_until", "note", "batch"}}
	for _, t := range tickets {
		rows = append(rows, []string{t.ID, t.Code.Reveal(), t.Attraction, strings.Join(t.Packages, ";"), seatsText(t.Seats),
			timeText(t.ValidFrom), timeText(t.ValidUntil), harmless(t.Note), t.Batch})
	}
	return table.WriteAll(rows)
}

func seatsText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// harmless puts a quote in front of text that a spreadsheet would calculate
// (OWASP, "CSV Injection").
func harmless(s string) string {
	if strings.TrimLeft(s, " ") != "" && strings.ContainsAny(strings.TrimLeft(s, " ")[:1], "=+-@") {
		return "'" + s
	}
	return s
}
