package roll

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A head is the first line of a list that says which one it is.
type head struct {
	delta    bool
	from, to uint64 // a delta leads from one sequence number to another; a full list is at one, which is to
	rows     int    // that follow; below 0 means that it does not say
}

// cutHead reads the head of a list, if there is one, and returns the list with
// an empty line in its place, so that the numbers of the others stay.
func cutHead(name string, text []byte) (h head, rest []byte, err error) {
	h.rows = -1
	line, _, _ := bytes.Cut(text, []byte("\n"))
	rest = text[len(line):]
	line = bytes.TrimSpace(line)
	read := csvHead
	switch {
	case isJSON(name) && (bytes.HasPrefix(line, []byte(`{"full"`)) || bytes.HasPrefix(line, []byte(`{"delta"`))):
		read = jsonHead
	case isJSON(name) || !bytes.HasPrefix(line, []byte("#")):
		return h, text, nil
	}
	kind, numbers, err := read(line)
	if err != nil {
		return h, nil, err
	}
	if h, err = newHead(kind, numbers); err != nil {
		return h, nil, err
	}
	return h, rest, nil
}

var errHead = errors.New("want a first line like #full,41 or #delta,41,42, with the number of rows behind it or not")

// csvHead reads "#delta,41,42" or "#delta,41,42,1000".
func csvHead(line []byte) (kind string, numbers []uint64, err error) {
	kind, list, _ := strings.Cut(strings.TrimRight(string(line[1:]), ", "), ",") // spreadsheets fill the line up
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 63)
		if err != nil {
			return "", nil, errHead
		}
		numbers = append(numbers, n)
	}
	return strings.TrimSpace(kind), numbers, nil
}

// jsonHead reads {"delta":[41,42]} or {"delta":[41,42],"rows":1000}.
func jsonHead(line []byte) (kind string, numbers []uint64, err error) {
	var h struct {
		Full  *uint64  `json:"full"`
		Delta []uint64 `json:"delta"`
		Rows  *uint64  `json:"rows"`
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&h); err != nil || dec.More() || (h.Full == nil) == (h.Delta == nil) {
		return "", nil, errHead
	}
	kind = "delta"
	if numbers = h.Delta; h.Full != nil {
		kind, numbers = "full", []uint64{*h.Full}
	} else if len(numbers) != 2 {
		return "", nil, errHead
	}
	if h.Rows != nil {
		numbers = append(numbers, *h.Rows)
	}
	return kind, numbers, nil
}

func newHead(kind string, numbers []uint64) (head, error) {
	h := head{delta: kind == "delta", rows: -1}
	want := 1
	if h.delta {
		want = 2
	}
	if kind != "full" && kind != "delta" || len(numbers) < want || len(numbers) > want+1 {
		return h, errHead
	}
	h.from, h.to = numbers[0], numbers[want-1]
	if h.delta && h.from >= h.to {
		return h, fmt.Errorf("a delta from %d to %d, want one that leads forward", h.from, h.to)
	}
	if len(numbers) > want {
		if numbers[want] > maxFile {
			return h, errHead
		}
		h.rows = int(numbers[want])
	}
	return h, nil
}

// complete returns an error if a list has another number of rows than its head
// says, as one does that was cut off.
func (h head) complete(rows int) error {
	if h.rows >= 0 && rows != h.rows {
		return fmt.Errorf("%d rows, but the first line says %d", rows, h.rows)
	}
	return nil
}
