package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"
)

const (
	maxBody  = 16 << 10  // bytes of a request body
	maxBatch = 128 << 10 // bytes of one that names up to maxItems files
	maxItems = 1000      // files in a batch
	maxDepth = 8         // nesting of a request body
)

// readJSON reads the body into v, a pointer to a struct, and accepts one
// reading only: known members with their exact names, each once, in UTF-8, and
// nothing after. encoding/json alone would take the last of two "ticket"s, and
// "TICKET" for "ticket".
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	return readLimited(w, r, maxBody, v)
}

// readItems is readJSON for a batch, whose items v has in *items under a name.
func readItems(w http.ResponseWriter, r *http.Request, v any, name string, items *[]string) error {
	if err := readLimited(w, r, maxBatch, v); err != nil {
		return err
	}
	if n := len(*items); n == 0 || n > maxItems {
		return &requestError{status: http.StatusBadRequest, code: "bad_request",
			detail: fmt.Sprintf("The member %q has %d entries, want 1 to %d.", name, n, maxItems)}
	}
	return nil
}

func readLimited(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	if err := checkType(r); err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &requestError{status: http.StatusRequestEntityTooLarge, code: "too_large",
			detail: fmt.Sprintf("The body may have %d bytes.", limit), err: err}
	case err != nil:
		return badRequest(errors.New("the body broke off"))
	}
	if err := decodeStrict(body, v); err != nil {
		return &requestError{status: http.StatusBadRequest, code: "bad_request", err: err,
			detail: "The body must be one JSON object as /openapi.yaml describes it: " + err.Error() + "."}
	}
	return nil
}

func checkType(r *http.Request) error {
	unsupported := &requestError{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type",
		detail: "Send Content-Type: application/json, in UTF-8 and not compressed."}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return unsupported
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return unsupported
	}
	return nil
}

// decodeStrict is readJSON for bytes. Its errors never quote a value.
func decodeStrict(body []byte, v any) error {
	switch {
	case len(body) == 0:
		return errors.New("it is empty")
	case !utf8.Valid(body):
		return errors.New("it is not UTF-8")
	}
	walk := &walker{dec: json.NewDecoder(bytes.NewReader(body)), known: members(v)}
	walk.dec.UseNumber()
	if err := walk.value(0); err != nil {
		return err
	}
	if _, err := walk.dec.Token(); err != io.EOF {
		return errors.New("something follows the object")
	}
	if err := json.Unmarshal(body, v); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return fmt.Errorf("member %q is a %s", kind.Field, kind.Value)
		}
		return errors.New("it is not JSON")
	}
	return nil
}

// members returns the names that an object for v may have at its top.
func members(v any) map[string]bool {
	names := map[string]bool{}
	for f := range reflect.TypeOf(v).Elem().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names[name] = true
	}
	return names
}

// A walker reads a document token by token and refuses what encoding/json
// would let pass.
type walker struct {
	dec   *json.Decoder
	known map[string]bool
}

func (w *walker) value(depth int) error {
	token, err := w.dec.Token()
	if err != nil {
		return errors.New("it is not JSON")
	}
	switch t := token.(type) {
	case json.Delim:
		if depth >= maxDepth {
			return errors.New("it is nested too deeply")
		}
		if t == '{' {
			return w.object(depth)
		}
		if depth == 0 {
			return errors.New("it is not an object")
		}
		return w.array(depth)
	case string:
		if err := plain(t); err != nil {
			return err
		}
	case nil:
		if depth > 0 {
			return errors.New("it has a null, leave the member out")
		}
	}
	if depth == 0 {
		return errors.New("it is not an object")
	}
	return nil
}

func (w *walker) object(depth int) error {
	seen := map[string]bool{}
	for w.dec.More() {
		token, err := w.dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return errors.New("it is not JSON")
		}
		if err := plain(name); err != nil {
			return err
		}
		if depth == 0 && !w.known[name] {
			return errors.New("it has an unknown member")
		}
		folded := strings.ToLower(name)
		if seen[folded] {
			return errors.New("it has a member twice")
		}
		seen[folded] = true
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	return w.end()
}

func (w *walker) array(depth int) error {
	for w.dec.More() {
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	return w.end()
}

func (w *walker) end() error {
	if _, err := w.dec.Token(); err != nil {
		return errors.New("it is not JSON")
	}
	return nil
}

// plain refuses text in which a lone surrogate stood: encoding/json has put
// U+FFFD in its place.
func plain(s string) error {
	if strings.ContainsRune(s, utf8.RuneError) {
		return errors.New("it has text that is not Unicode")
	}
	return nil
}
