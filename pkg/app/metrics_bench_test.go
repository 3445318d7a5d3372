package app_test

import (
	"net/http"
	"testing"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/guide"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/telemetry/prom"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

// BenchmarkMetrics is BenchmarkVerify with a shared signature, with and without
// somebody who counts.
func BenchmarkMetrics(b *testing.B) {
	for name, opts := range map[string]app.Options{"without": {}, "with": {Meter: prom.New("bench", nil)}} {
		b.Run(name, func(b *testing.B) {
			list, err := roll.Parse("list.csv", []byte("code,attraction,seats\nCASTLE-TEST-TICKET-0001,castle,1000\n"), roll.Options{})
			if err != nil {
				b.Fatal(err)
			}
			opts.Ring, opts.Media, opts.Sources = newRing(b, keyring.RSA), guide.Sample(), map[string]gate.Verifier{"list": list}
			cfg := config.Default()
			cfg.Sources = []config.Source{{ID: "list", Kind: "roll"}}
			cfg.Attractions = []config.Attraction{{ID: "castle", Timezone: "Europe/Madrid", Sources: []string{"list"}, Packages: []config.Package{{ID: "audio"}, {ID: "premium"}}}}
			a, err := app.New(b.Context(), cfg, opts)
			if err != nil {
				b.Fatal(err)
			}
			defer a.Close()
			var cookie *http.Cookie
			b.ReportAllocs()
			for b.Loop() {
				var shown []*http.Cookie
				if cookie != nil {
					shown = append(shown, cookie)
				}
				resp := ask(a.Handler, "POST", "/v1/tickets/verify", show, shown...)
				if resp.StatusCode != http.StatusOK {
					b.Fatalf("verify = %d", resp.StatusCode)
				}
				all := resp.Cookies()
				cookie = all[len(all)-1]
			}
		})
	}
}
