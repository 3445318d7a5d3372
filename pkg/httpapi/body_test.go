package httpapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/handstamp/handstamp/pkg/httpapi"
)

func TestBodyIsReadStrictly(t *testing.T) {
	s := newSite(t)
	tests := []struct{ name, body string }{
		{"empty", ``},
		{"white space", "  \n"},
		{"null", `null`},
		{"true", `true`},
		{"text", `"K7QM-2XWD-9FTR-HB4N"`},
		{"number", `4711`},
		{"array", `[{"ticket":"A"}]`},
		{"no JSON", `ticket=A`},
		{"cut off", `{"ticket":"A"`},
		{"cut off in a text", `{"ticket":"A`},
		{"member missing", `{}`},
		{"ticket empty", `{"ticket":""}`},
		{"ticket null", `{"ticket":null}`},
		{"attraction null", `{"ticket":"WEAK-1","attraction":null}`},
		{"factors null", `{"ticket":"WEAK-1","factors":null}`},
		{"factor null", `{"ticket":"WEAK-1","factors":{"surname":null}}`},
		{"delivery null", `{"ticket":"WEAK-1","delivery":null}`},
		{"number for text", `{"ticket":4711}`},
		{"array for text", `{"ticket":["WEAK-1"]}`},
		{"object for text", `{"ticket":{"code":"WEAK-1"}}`},
		{"true for text", `{"ticket":true}`},
		{"NaN", `{"ticket":NaN}`},
		{"text for factors", `{"ticket":"WEAK-1","factors":"Garcia"}`},
		{"array for factors", `{"ticket":"WEAK-1","factors":["Garcia"]}`},
		{"number for a factor", `{"ticket":"WEAK-1","factors":{"surname":1}}`},
		{"nine factors", `{"ticket":"WEAK-1","factors":{"a":"","b":"","c":"","d":"","e":"","f":"","g":"","h":"","i":""}}`},
		{"other delivery", `{"ticket":"WEAK-1","delivery":"Cookies"}`},
		{"twice", `{"ticket":"WEAK-9","ticket":"WEAK-1"}`},
		{"twice by case", `{"ticket":"WEAK-1","Ticket":"WEAK-1"}`},
		{"twice by escape", `{"ticket":"WEAK-1","\u0074icket":"WEAK-1"}`},
		{"another case", `{"TICKET":"WEAK-1"}`},
		{"long s", `{"ticket":"WEAK-1","factorſ":{}}`},
		{"Kelvin sign", "{\"tic\u212aet\":\"WEAK-1\"}"},
		{"factor twice", `{"ticket":"WEAK-1","factors":{"surname":"A","surname":"B"}}`},
		{"factor twice by case", `{"ticket":"WEAK-1","factors":{"surname":"A","SURNAME":"B"}}`},
		{"unknown member", `{"ticket":"WEAK-1","admin":true}`},
		{"empty name", `{"ticket":"WEAK-1","":""}`},
		{"object behind", `{"ticket":"WEAK-1"}{}`},
		{"text behind", `{"ticket":"WEAK-1"} x`},
		{"comma behind", `{"ticket":"WEAK-1"},`},
		{"bracket behind", `{"ticket":"WEAK-1"}]`},
		{"comma inside", `{"ticket":"WEAK-1",}`},
		{"comment", `{"ticket":"WEAK-1"/**/}`},
		{"single quotes", `{'ticket':'WEAK-1'}`},
		{"wrong bracket", `{"ticket":"WEAK-1"]`},
		{"byte order mark", "\ufeff" + `{"ticket":"WEAK-1"}`},
		{"UTF-16", "{\x00\"\x00t\x00"},
		{"invalid UTF-8", "{\"ticket\":\"WEAK-1\xff\"}"},
		{"invalid UTF-8 in a name", "{\"ticket\":\"WEAK-1\",\"factors\":{\"\xff\":\"\"}}"},
		{"overlong UTF-8", "{\"ticket\":\"WEAK-1\xc0\xaf\"}"},
		{"surrogate as bytes", "{\"ticket\":\"WEAK-1\xed\xa0\x80\"}"},
		{"lone surrogate", `{"ticket":"WEAK-1\ud800"}`},
		{"lone low surrogate", `{"ticket":"WEAK-1\udc00"}`},
		{"surrogates the wrong way", `{"ticket":"WEAK-1\udc00\ud800"}`},
		{"lone surrogate in a factor", `{"ticket":"WEAK-1","factors":{"surname":"\ud800"}}`},
		{"lone surrogate in a name", `{"ticket":"WEAK-1","factors":{"\ud800":"A"}}`},
		{"replacement character", `{"ticket":"WEAK-1\ufffd"}`},
		{"NUL", "{\"ticket\":\"WEAK-1\x00\"}"},
		{"escaped NUL", `{"ticket":"WEAK-1\u0000"}`},
		{"new line in a text", "{\"ticket\":\"WEAK\n-1\"}"},
		{"16,000 brackets", strings.Repeat("[", 16_000)},
		{"8,000 brackets in a member", `{"ticket":` + strings.Repeat("[", 8_000)},
		{"nested", `{"factors":` + strings.Repeat(`{"a":`, 2_000) + `1` + strings.Repeat("}", 2_001)},
		{"nested nine deep", `{"ticket":"WEAK-1","factors":` + strings.Repeat("[", 8) + strings.Repeat("]", 8) + "}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := s.post(t, s.device(t), tt.body)
			if p := r.problem(t); r.status != http.StatusBadRequest || p.Code != "bad_request" || len(r.cookies) != 0 {
				t.Errorf("%.60q: %d %s, want 400", tt.body, r.status, r.body)
			}
		})
	}
	// All of this spoilt nothing for those who write properly.
	for _, body := range []string{`{"ticket":"WEAK-1"}`, " \n{ \"ticket\" : \"WEAK-1\" }\r\n", `{"\u0074icket":"\u0057EAK-1","factors":{"surname":"Garc\u00eda 😀"},"attraction":"castle","delivery":"cookies"}`} {
		if r := s.post(t, s.client, body); r.status != http.StatusOK {
			t.Errorf("%s: %d %s, want 200", body, r.status, r.body)
		}
	}
}

// The viewer's developer is told what is wrong, in words that quote nothing.
func TestDecodeSays(t *testing.T) {
	for body, want := range map[string]string{
		"":                               "it is empty",
		"{\"ticket\":\"\xff\"}":          "it is not UTF-8",
		`{"ticket"`:                      "it is not JSON",
		`[]`:                             "it is not an object",
		`"A"`:                            "it is not an object",
		`null`:                           "it is not an object",
		`{"x":1}`:                        "it has an unknown member",
		`{"ticket":"A","ticket":"A"}`:    "it has a member twice",
		`{"ticket":null}`:                "it has a null, leave the member out",
		`{"ticket":"\ud800"}`:            "it has text that is not Unicode",
		`{"ticket":"A"}1`:                "something follows the object",
		`{"ticket":1}`:                   `member "ticket" is a number`,
		`{"factors":[[[[[[[[1]]]]]]]]}`:  "it is nested too deeply",
		`{"factors":[[[[[[[1]]]]]]]}`:    `member "factors" is a array`,
		`{"factors":{"surname":{"a":1}}`: "it is not JSON",
	} {
		if _, _, _, _, err := httpapi.DecodeVerify([]byte(body)); err == nil || err.Error() != want {
			t.Errorf("DecodeVerify(%q) = %v, want %s", body, err, want)
		}
	}
}

func TestBodySize(t *testing.T) {
	s := newSite(t)
	body := `{"ticket":"WEAK-1"}`
	fits := body + strings.Repeat(" ", httpapi.MaxBody-len(body))
	if r := s.post(t, s.client, fits); r.status != http.StatusOK {
		t.Errorf("%d bytes = %d, want 200", len(fits), r.status)
	}
	if r := s.do(t, s.client, http.MethodPost, verifyPath, chunked(fits), "Content-Type", "application/json"); r.status != http.StatusOK {
		t.Errorf("%d bytes, chunked = %d, want 200", len(fits), r.status)
	}
	for name, body := range map[string]io.Reader{
		"one byte more":          strings.NewReader(fits + " "),
		"one byte more, chunked": chunked(fits + " "),
		"a megabyte, chunked":    chunked(strings.Repeat(" ", 1<<20)),
		"a huge ticket":          strings.NewReader(`{"ticket":"` + strings.Repeat("A", httpapi.MaxBody) + `"}`),
		"20,000 brackets":        strings.NewReader(strings.Repeat("[", 20_000)),
	} {
		r := s.do(t, s.device(t), http.MethodPost, verifyPath, body, "Content-Type", "application/json")
		if p := r.problem(t); r.status != http.StatusRequestEntityTooLarge || p.Code != "too_large" || !r.closes {
			t.Errorf("%s: %d %s, closes %v, want 413 and the end of the connection", name, r.status, r.body, r.closes)
		}
	}
}

// chunked hides the length, so that the body goes in chunks.
func chunked(text string) io.Reader { return io.MultiReader(strings.NewReader(text)) }

func TestContentType(t *testing.T) {
	s := newSite(t)
	const body = `{"ticket":"WEAK-1"}`
	tests := []struct {
		headers []string
		want    int
	}{
		{[]string{"Content-Type", "application/json"}, 200},
		{[]string{"Content-Type", "Application/JSON; Charset=UTF-8"}, 200},
		{[]string{"Content-Type", `application/json; charset="utf-8"`}, 200},
		{[]string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{[]string{"Content-Type", "multipart/form-data; boundary=x"}, 415},
		{[]string{"Content-Type", "text/plain"}, 415},
		{[]string{"Content-Type", "text/json"}, 415},
		{[]string{"Content-Type", "application/problem+json"}, 415},
		{[]string{"Content-Type", ""}, 415},
		{[]string{"Content-Type", "application"}, 415},
		{[]string{"Content-Type", "application/json;;"}, 415},
		{[]string{"Content-Type", "application/json; charset=utf-16"}, 415},
		{[]string{"Content-Type", "application/json; charset=iso-8859-1"}, 415},
		{[]string{"Content-Type", "application/json; charset=utf-8; charset=utf-16"}, 415},
		{[]string{"Content-Type", "text/plain; application/json"}, 415},
		{[]string{"Content-Type", "application/json, text/plain"}, 415},
		{[]string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 415},
		{[]string{"Content-Type", "application/json", "Content-Encoding", "identity"}, 415},
		{[]string{"Content-Type", "application/json", "Content-Encoding", "br, gzip"}, 415},
	}
	for _, tt := range tests {
		r := s.post(t, s.client, body, tt.headers...)
		if r.status != tt.want || tt.want == 415 && (r.problem(t).Code != "unsupported_media_type" || len(r.cookies) != 0) {
			t.Errorf("%v: %d %s, want %d", tt.headers, r.status, r.body, tt.want)
		}
	}
	// No Content-Type at all, which the standard client would not send.
	r := s.do(t, s.client, http.MethodPost, verifyPath, strings.NewReader(body))
	if r.status != 415 {
		t.Errorf("without a type: %d, want 415", r.status)
	}
}

func TestOddTickets(t *testing.T) {
	s := newSite(t)
	for name, code := range map[string]string{
		"129 characters": strings.Repeat("A", 129),
		"long":           strings.Repeat("A", 10_000),
		"spaces":         "    ",
		"control":        "\x01\x02\x1b[31m",
		"line break":     "WEAK-1\r\nSet-Cookie: a=b",
		"markup":         "<script>alert(1)</script>",
		"emoji":          "🎫🎫🎫",
		"full width":     "ＷＥＡＫ",
		"right to left":  "\u202eWEAK",
		"wildcard":       "*",
		"SQL":            "' OR 1=1 --",
		"path":           `..\..\etc`,
	} {
		r := s.show(t, s.device(t), code, "")
		if p := r.problem(t); r.status != http.StatusBadRequest || p.Title != "This is not a ticket code" || len(r.cookies) != 0 || strings.Contains(string(r.body), code) && name != "wildcard" {
			t.Errorf("%s: %d %s, want 400", name, r.status, r.body)
		}
	}
	for _, code := range []string{" weak-1 ", "W E A K 1", "weak1", "--WEAK1--"} {
		if r := s.show(t, s.client, code, ""); r.status != http.StatusOK {
			t.Errorf("%q: %d, want 200", code, r.status)
		}
	}
}

func TestOddAttractionsInTheBody(t *testing.T) {
	s := newSite(t)
	for _, id := range []string{"*", "?", "..", ".", "%2f", "castle/audio", "/castle", "castle/", `castle\`, "Castle", "cas tle", "castle*", "ca?tle", "castlé", "-", strings.Repeat("a", 64), "castle\x00", "castle\n"} {
		r := s.show(t, s.device(t), strongCode, id)
		if p := r.problem(t); r.status != http.StatusBadRequest || !strings.HasPrefix(p.Detail, `The member "attraction"`) || len(r.cookies) != 0 {
			t.Errorf("attraction %q: %d %s, want 400", id, r.status, r.body)
		}
	}
	if r := s.show(t, s.device(t), strongCode, "castle"); r.status != http.StatusOK {
		t.Errorf("attraction castle: %d, want 200", r.status)
	}
}

func FuzzDecodeStrict(f *testing.F) {
	for _, body := range []string{
		`{"ticket":"A","attraction":"castle","delivery":"json","factors":{"surname":"B"}}`,
		`{"ticket":"\ud83d\ude00"}`, `{"ticket":"\ud800"}`, `{"Ticket":"A"}`, `{"ticket":"A","ticket":"B"}`, `{"ticket":null}`, `[]`, `{}x`, `{"factors":{"a":"","A":""}}`,
		`{"ticket":"A"}{}`, "\ufeff{}", "{\"ticket\":\"\xff\"}", strings.Repeat("[", 100), `{"ticket":1e400}`, ` { } `,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ticket, attraction, delivery, factors, err := httpapi.DecodeVerify(body)
		if err != nil {
			if len(err.Error()) > 100 {
				t.Errorf("DecodeVerify(%q) = %v, want a short error that quotes nothing", body, err)
			}
			return
		}
		// What is accepted has one reading: a lenient reader sees the same.
		var all map[string]any
		if err := json.Unmarshal(body, &all); err != nil || all == nil || !utf8.Valid(body) {
			t.Fatalf("DecodeVerify took %q, which is no JSON object: %v", body, err)
		}
		want := map[string]any{}
		for name, value := range map[string]string{"ticket": ticket, "attraction": attraction, "delivery": delivery} {
			if _, ok := all[name]; ok || value != "" {
				want[name] = value
			}
		}
		if _, ok := all["factors"]; ok {
			list := map[string]any{}
			for name, value := range factors {
				list[name] = value
			}
			want["factors"] = list
		}
		got, err1 := json.Marshal(all)
		text, err2 := json.Marshal(want)
		if err1 != nil || err2 != nil || !bytes.Equal(got, text) {
			t.Errorf("DecodeVerify(%q) read %s, a lenient reader %s", body, text, got)
		}
		if _, _, _, _, err := httpapi.DecodeVerify(text); err != nil {
			t.Errorf("DecodeVerify(%q) = %v, although it is %q", text, err, body)
		}
	})
}
