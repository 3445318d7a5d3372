package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

const oddGuide = `title: Castle
cover: free/cover & more.svg
packages: [{id: audio, name: Audio guide}]
items:
  - {id: hall, title: Hall, kind: audio, package: audio, file: "audio/die große Halle + Hof.m4a", image: "audio/bild 1.svg"}
  - {id: map, title: Map, kind: map, file: "free/plan 1+2.svg"}
`

// URLs of the catalogue are as they stand on the wire, so that they can be signed,
// and open at the local edge.
func TestCatalogueWithOddNames(t *testing.T) {
	key, err := keyring.Generate(keyring.ECDSA)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.New([]keyring.Key{{ID: "KTEST0000001", Public: key.Public(), Private: key}}, "KTEST0000001")
	if err != nil {
		t.Fatal(err)
	}
	list, err := roll.Parse("list.csv", []byte("code,attraction,seats\nCASTLE-TEST-TICKET-0001,castle,1000\n"), roll.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Sources = []config.Source{{ID: "list", Kind: "roll"}}
	cfg.Attractions = []config.Attraction{{ID: "castle", Name: "Castle", Timezone: "Europe/Madrid", Free: []string{"free"},
		Content: "castle/guide.yaml", Sources: []string{"list"}, Packages: []config.Package{{ID: "audio", Name: "Audio guide"}}}}
	media := fstest.MapFS{}
	for name, text := range map[string]string{"guide.yaml": oddGuide, "free/cover & more.svg": "cover", "free/plan 1+2.svg": "plan",
		"audio/die große Halle + Hof.m4a": "hall", "audio/bild 1.svg": "picture"} {
		media["castle/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	a, err := app.New(t.Context(), cfg, app.Options{Ring: ring, Media: media, Sources: map[string]gate.Verifier{"list": list}})
	if err != nil {
		t.Fatal(err)
	}
	cookies := ask(a.Handler, "POST", "/v1/tickets/verify", show).Cookies()
	var content struct {
		Attraction struct {
			CoverURL string `json:"cover_url"`
		} `json:"attraction"`
		Items []struct {
			URL      string `json:"url"`
			ImageURL string `json:"image_url"`
		} `json:"items"`
		Signed bool `json:"signed"`
	}
	resp := ask(a.Handler, "GET", "/v1/attractions/castle/content?include=urls", "", cookies...)
	if err := json.NewDecoder(resp.Body).Decode(&content); err != nil || len(content.Items) != 2 || !content.Signed {
		t.Fatalf("content = %+v, %v, want it signed", content, err)
	}
	hall, plan := content.Items[0], content.Items[1]
	for got, want := range map[string]string{
		content.Attraction.CoverURL: "/castle/free/cover%20&%20more.svg",
		hall.URL:                    "/castle/audio/die%20gro%C3%9Fe%20Halle%20%2B%20Hof.m4a?Expires=",
		hall.ImageURL:               "/castle/audio/bild%201.svg?Expires=",
		plan.URL:                    "/castle/free/plan%201%2B2.svg",
	} {
		path, ok := strings.CutPrefix(got, site)
		if !ok || !strings.HasPrefix(path, want) {
			t.Errorf("URL %q, want one that begins with %q", got, want)
		}
		if resp := ask(a.Handler, "GET", path, ""); resp.StatusCode != 200 {
			t.Errorf("GET %s = %d, want 200 without a cookie", path, resp.StatusCode)
		}
	}
	free, paid := a.Content()
	if len(free) != 1 || free[0] != "/castle/free/plan%201%2B2.svg" || len(paid["castle"]) != 1 {
		t.Errorf("Content = %q, %q, want paths as they stand on the wire", free, paid)
	}
}
