package httpapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"
)

type content struct {
	Items []struct {
		ID        string    `json:"id"`
		URL       string    `json:"url"`
		StreamURL string    `json:"stream_url"`
		ImageURL  string    `json:"image_url"`
		ExpiresAt time.Time `json:"expires_at"`
	} `json:"items"`
	Signed *bool `json:"signed"`
}

func (s *site) content(t *testing.T, client *http.Client, query string) content {
	t.Helper()
	r := s.do(t, client, http.MethodGet, contentPath+query, nil)
	var c content
	if err := json.Unmarshal(r.body, &c); err != nil || r.status != http.StatusOK || len(c.Items) < 2 {
		t.Fatalf("%d %s is no content: %v", r.status, r.body, err)
	}
	return c
}

func TestContentWithURLs(t *testing.T) {
	s := newSite(t, func(s *site) { s.mediaHere = true })
	if c := s.content(t, s.client, ""); c.Signed != nil {
		t.Errorf("content = %+v, want nothing said of URLs", c)
	}
	plain := s.content(t, s.client, "?include=urls")
	if plain.Signed == nil || *plain.Signed || plain.Items[0].URL != s.url+"/castle/audio/hall.m4a" {
		t.Errorf("content without an admission = %+v, want it plain and to say so", plain)
	}
	p := s.admit(t, s.client, strongCode)
	signed := s.content(t, s.client, "?include=urls")
	hall, garden, plan := signed.Items[0], signed.Items[2], signed.Items[1]
	switch {
	case signed.Signed == nil || !*signed.Signed:
		t.Errorf("content = %+v, want it to say that URLs are signed", signed)
	case !s.fetchable(hall.URL, noon) || !hall.ExpiresAt.Equal(p.Grants[0].ExpiresAt):
		t.Errorf("hall = %+v, want a signed URL until the cookies end", hall)
	case hall.StreamURL != plain.Items[0].StreamURL || hall.ImageURL != plain.Items[0].ImageURL:
		t.Errorf("hall = %+v, want stream and free image plain", hall)
	case !s.fetchable(garden.ImageURL, noon):
		t.Errorf("garden = %+v, want its paid image signed", garden)
	case plan != plain.Items[1]:
		t.Errorf("map = %+v, want it plain", plan)
	}
	if again := s.content(t, s.client, ""); again.Items[0].URL != plain.Items[0].URL {
		t.Errorf("content = %+v, want the list itself unchanged", again)
	}
	zoo := s.device(t)
	s.admit(t, zoo, strongZoo)
	if c := s.content(t, zoo, "?include=urls"); c.Items[0] != plain.Items[0] || !*c.Signed {
		t.Errorf("content for another attraction's visitor = %+v, want it plain", c)
	}
}

func TestContentQuery(t *testing.T) {
	s := newSite(t)
	for _, query := range []string{"?include=", "?include=url", "?include=urls,items", "?include=URLS", "?include", "?include=urls&include=urls"} {
		if r := s.do(t, s.client, http.MethodGet, contentPath+query, nil); r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s, want 400", query, r.status, r.body)
		}
	}
	s.admit(t, s.client, strongCode)
	s.book = errors.New("disk full")
	if r := s.do(t, s.client, http.MethodGet, contentPath+"?include=urls", nil); r.status != http.StatusServiceUnavailable {
		t.Errorf("without a book: %d %s, want 503", r.status, r.body)
	}
	if r := s.do(t, s.client, http.MethodGet, contentPath, nil); r.status != http.StatusOK {
		t.Errorf("the plain list without a book: %d %s, want 200", r.status, r.body)
	}
}
