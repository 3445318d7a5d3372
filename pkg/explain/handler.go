package explain

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// Limits of a question to the page.
const (
	maxQuestion = 1 << 20 // bytes
	maxReports  = 50      // requests that are explained at once
)

// pagePolicy lets the page run its own script and style and nothing else.
const pagePolicy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the web page: the page itself at GET /explain, its files below
// /explain/, and at POST /explain/judge the reports that it shows. It trusts
// keys, besides those that a question brings along. A nil now means time.Now.
// What is posted is answered and forgotten: nothing is logged, stored or sent on.
// It is for the people at one machine: a question may cost seconds of a
// processor, so two are looked at at a time.
func Handler(keys []*cloudfront.PublicKey, now func() time.Time) http.Handler {
	if now == nil {
		now = time.Now
	}
	j := &judge{keys: keys, now: now, origins: http.NewCrossOriginProtection(), turns: make(chan struct{}, 2)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /explain/judge", j.judge)
	mux.HandleFunc("GET /explain/keys.json", j.listKeys)
	mux.Handle("GET /explain/{$}", http.RedirectHandler("/explain", http.StatusPermanentRedirect))
	for url, a := range loadPage() {
		mux.HandleFunc("GET "+url, a.serve)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// A judge answers the page's questions.
type judge struct {
	keys    []*cloudfront.PublicKey
	now     func() time.Time
	origins *http.CrossOriginProtection
	turns   chan struct{} // one for every question that is looked at
}

func (j *judge) listKeys(w http.ResponseWriter, _ *http.Request) {
	keys := []keyInfo{}
	for _, k := range j.keys {
		keys = append(keys, keyInfo{k.ID(), k.Kind()})
	}
	writeJSON(w, http.StatusOK, keys)
}

func (j *judge) judge(w http.ResponseWriter, r *http.Request) {
	if err := j.origins.Check(r); err != nil {
		fail(w, http.StatusForbidden, "this page answers its own requests only")
		return
	}
	var q question
	if status, err := readQuestion(w, r, &q); err != nil {
		fail(w, status, err.Error())
		return
	}
	select {
	case j.turns <- struct{}{}:
		defer func() { <-j.turns }()
	case <-r.Context().Done():
		return
	}
	a, err := j.answer(&q)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, a)
}

func (j *judge) answer(q *question) (*answer, error) {
	found, err := Read([]byte(q.Text))
	if err != nil {
		return nil, err
	}
	keys, err := j.withKeys(q.Keys)
	if err != nil {
		return nil, err
	}
	worth := Refused(found)
	a := &answer{Found: len(found)}
	for _, in := range worth[:min(len(worth), maxReports)] {
		in.Keys = keys
		if err := q.complete(&in, j.now()); err != nil {
			return nil, err
		}
		a.Reports = append(a.Reports, Explain(in))
	}
	return a, nil
}

// withKeys adds the keys of a question to those that are trusted anyway.
func (j *judge) withKeys(more []questionKey) ([]*cloudfront.PublicKey, error) {
	if len(more) > 20 {
		return nil, errors.New("more than 20 keys")
	}
	keys := j.keys[:len(j.keys):len(j.keys)]
	for _, k := range more {
		if strings.Contains(k.PEM, "PRIVATE KEY") {
			return nil, errors.New("that is a private key: it belongs nowhere but into your signer. Paste the public one")
		}
		key, err := cloudfront.ParsePublicKey(strings.TrimSpace(k.ID), []byte(k.PEM))
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func fail(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(true)
	_ = enc.Encode(v)
}
