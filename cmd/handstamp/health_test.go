package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestAskHealth(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/draining", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.Handle("/elsewhere", http.RedirectHandler("/ok", http.StatusFound))
	mux.HandleFunc("/never", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for path, want := range map[string]bool{"/ok": true, "/draining": false, "/elsewhere": false, "/never": false} {
		if err := askHealth(t.Context(), srv.URL+path, 200*time.Millisecond); (err == nil) != want {
			t.Errorf("askHealth(%s) = %v, want ok %v", path, err, want)
		}
	}
}
