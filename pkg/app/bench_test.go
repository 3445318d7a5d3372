package app_test

import (
	"net/http"
	"testing"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// BenchmarkVerify is the whole endpoint, without the network: JSON in, ticket
// list, book in memory, cookies out. "shared" has one signature for the crowd,
// "alone" signs for everybody.
func BenchmarkVerify(b *testing.B) {
	for _, kind := range []keyring.Type{keyring.RSA, keyring.ECDSA} {
		for name, sharing := range map[string]config.Switch{"shared": true, "alone": false} {
			b.Run(string(kind)+"/"+name, func(b *testing.B) {
				a := newApp(b, kind, func(c *config.Config) { c.Cookies.Sharing = sharing })
				session := ask(a.Handler, "POST", "/v1/tickets/verify", show).Cookies()
				cookie := session[len(session)-1]
				b.ReportAllocs()
				b.ResetTimer()
				for b.Loop() {
					resp := ask(a.Handler, "POST", "/v1/tickets/verify", show, cookie)
					if resp.StatusCode != http.StatusOK {
						b.Fatalf("verify = %d", resp.StatusCode)
					}
					all := resp.Cookies()
					cookie = all[len(all)-1]
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "verifies/s")
			})
		}
	}
}

// BenchmarkListen is a paid file through the local edge, with its cookies.
func BenchmarkListen(b *testing.B) {
	a := newApp(b, keyring.RSA, nil)
	var cookies []*http.Cookie
	for _, c := range ask(a.Handler, "POST", "/v1/tickets/verify", show).Cookies() {
		if c.Path == "/castle/audio/" && c.MaxAge >= 0 {
			cookies = append(cookies, c)
		}
	}
	for name, path := range map[string]string{"paid": "/castle/audio/hall.m4a", "free": "/castle/free/welcome.m4a"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if resp := ask(a.Handler, "GET", path, "", cookies...); resp.StatusCode != http.StatusOK {
					b.Fatalf("GET %s = %d", path, resp.StatusCode)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}
