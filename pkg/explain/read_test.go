package explain_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/explain"
)

// transcript is what curl -v prints about one exchange.
func transcript(port, path, cookie, body string, answer ...string) string {
	lines := []string{"* Host media.example.org:" + port + " was resolved.", "*   Trying 192.0.2.10:" + port + "...", "* Connected to media.example.org (192.0.2.10) port " + port}
	if port == "443" {
		lines = append(lines, "* SSL connection using TLSv1.3 / TLS_AES_128_GCM_SHA256")
	}
	lines = append(lines, "> GET "+path+" HTTP/2", "> Host: media.example.org", "> User-Agent: curl/8.14.1")
	if cookie != "" {
		lines = append(lines, "> Cookie: "+cookie)
	}
	lines = append(lines, "> ", "* Request completely sent off")
	for _, a := range answer {
		lines = append(lines, "< "+a)
	}
	return strings.Join(append(lines, "< ", "{ [110 bytes data]", body, "* Connection #0 to host media.example.org left intact", ""), "\n")
}

const dated1203 = "date: Wed, 01 Jul 2026 12:03:00 GMT"

func TestReadCurl(t *testing.T) {
	s := good()
	text := transcript("443", "/castle/audio/01.m4a", s.cookies()[0], denied.Body(), "HTTP/2 403 ", "content-type: text/xml", "server: CloudFront", dated1203, "x-cache: Error from cloudfront", "via: 1.1 x (CloudFront)", "age: 3", "cache-control: no-store") +
		transcript("80", "/castle/b.m4a", "", "", "HTTP/1.1 200 OK", "Set-Cookie: CloudFront-Policy=x; Path=/")
	for name, text := range map[string]string{"plain": text, "CRLF": strings.ReplaceAll(text, "\n", "\r\n"), "timed": stamped(text)} {
		found, err := explain.ReadCurl([]byte(text))
		if err != nil || len(found) != 2 {
			t.Fatalf("%s: ReadCurl = %d requests, %v, want 2", name, len(found), err)
		}
		in, r := found[0], found[0].Response
		if in.URL != inCastle || in.Method != "GET" || !in.Recorded || !slices.Equal(in.Cookies, s.cookies()) || !in.At.IsZero() {
			t.Errorf("%s: first request = %+v", name, in)
		}
		if r.Status != 403 || r.Type != "text/xml" || r.Server != "CloudFront" || r.Age != "3" || r.CacheControl != "no-store" || !r.Date.Equal(noon.Add(3*time.Minute)) || !strings.Contains(r.Body, "AccessDenied") || strings.Contains(r.Body, "bytes data") {
			t.Errorf("%s: first answer = %+v", name, r)
		}
		if found[1].URL != "http://media.example.org/castle/b.m4a" || len(found[1].Earlier) != 0 || found[1].Response.Status != 200 {
			t.Errorf("%s: second request = %+v", name, found[1])
		}
		if got := explain.Refused(found); len(got) != 1 || got[0].URL != inCastle {
			t.Errorf("%s: Refused = %d requests, want the first", name, len(got))
		}
	}
	for _, bad := range []string{"", "no transcript", "> Host: x"} {
		if found, err := explain.ReadCurl([]byte(bad)); err == nil {
			t.Errorf("ReadCurl(%q) = %v, want an error", bad, found)
		}
	}
}

// stamped is a transcript as --trace-time --trace-ids makes it.
func stamped(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "<?xml") {
			b.WriteString(line)
			continue
		}
		b.WriteString("12:03:00.123456 [0-0] " + line)
	}
	return b.String()
}

// A transcript with the answer that set the cookies knows why they are not sent.
func TestReadCurlWithoutCookieJar(t *testing.T) {
	text := transcript("443", "/v1/tickets/verify", "", "{}", append([]string{"HTTP/2 200 ", dated1203, "cache-control: no-store"}, prefixed("set-cookie: ", good().set(secure))...)...) +
		strings.Replace(transcript("443", "/castle/audio/01.m4a", "", missing.Body(), "HTTP/2 403 ", dated1203), "*   Trying 192.0.2.10:443...\n* Connected to media.example.org (192.0.2.10) port 443\n", "* Re-using existing https: connection with host media.example.org\n", 1)
	found, err := explain.ReadCurl([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	in := explain.Refused(found)[0]
	in.Keys = trusted()
	if r := explain.Explain(in); r.Code != missing || r.Causes[0].ID != "T3" || !r.At.Equal(noon.Add(3*time.Minute)) || r.Policy == nil || r.Policy.In != "unsent" {
		t.Errorf("Explain:\n%s", describe(r))
	}
}

func prefixed(prefix string, lines []string) []string {
	for i := range lines {
		lines[i] = prefix + lines[i]
	}
	return lines
}

type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// entry is one exchange of an HTTP archive.
func entry(method, url string, status int, request, response []header, body string) map[string]any {
	return map[string]any{
		"startedDateTime": "2026-07-01T14:03:00.000+02:00", "pageref": "page_1",
		"request":  map[string]any{"method": method, "url": url, "headers": request, "cookies": []header{}},
		"response": map[string]any{"status": status, "headers": response, "content": map[string]any{"mimeType": "text/xml", "text": body}},
	}
}

func archive(entries ...map[string]any) string {
	text, err := json.Marshal(map[string]any{"log": map[string]any{
		"version": "1.2", "pages": []any{map[string]any{"id": "page_1", "title": "https://app.example.org/guide"}}, "entries": entries,
	}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestReadHAR(t *testing.T) {
	s := good()
	set := header{"Set-Cookie", strings.Join(s.set("; Domain=example.org; Path=/castle/; Secure"), "\n")}
	text := archive(
		entry("POST", "https://api.example.org/v1/tickets/verify", 200, nil, []header{set, {"Cache-Control", "no-store"}}, "{}"),
		entry("GET", inCastle, 403, []header{{"Cookie", s.cookies()[0]}, {"Origin", "https://app.example.org"}}, []header{{"Date", "Wed, 01 Jul 2026 12:03:00 GMT"}}, denied.Body()),
		entry("GET", "https://elsewhere.example.net/", 200, nil, nil, ""),
	)
	found, err := explain.ReadHAR([]byte(text))
	if err != nil || len(found) != 3 {
		t.Fatalf("ReadHAR = %d requests, %v, want 3", len(found), err)
	}
	in := found[1]
	if in.URL != inCastle || in.Page != "https://app.example.org" || len(in.Earlier) != 1 || len(in.Earlier[0].SetCookie) != 4 || !in.Recorded || in.Stripped || !in.At.Equal(noon.Add(3*time.Minute)) || !in.Clock.Equal(in.At) {
		t.Errorf("second request = %+v", in)
	}
	if found[2].Page != "https://app.example.org/guide" || !found[2].At.Equal(noon.Add(3*time.Minute)) || !found[2].Clock.IsZero() {
		t.Errorf("third request = %+v", found[2])
	}
	if got := explain.Refused(found); len(got) != 1 || got[0].URL != inCastle {
		t.Errorf("Refused = %d requests, want the second", len(got))
	}
	for _, bad := range []string{"", "{}", `{"log":{"entries":[]}}`, `{"log":{"entries":5}}`} {
		if _, err := explain.ReadHAR([]byte(bad)); err == nil {
			t.Errorf("ReadHAR(%q) succeeded", bad)
		}
	}
}

// E2: browsers save an archive without cookies unless asked.
func TestE2ReadHARStripped(t *testing.T) {
	found, err := explain.Read([]byte(archive(entry("GET", inCastle, 403, nil, nil, missing.Body()))))
	if err != nil {
		t.Fatal(err)
	}
	if r := explain.Explain(found[0]); r.Causes[0].ID != "E2" || len(r.Causes) != 1 {
		t.Errorf("Explain:\n%s", describe(r))
	}
}

// T29, T30: the browser's clock is beside CloudFront's in every entry.
func TestReadHARClock(t *testing.T) {
	s := sealed(policyText(castle, noon.Add(2*time.Minute)))
	found, err := explain.ReadHAR([]byte(archive(entry("GET", inCastle, 403, []header{{"Cookie", s.cookies()[0]}}, []header{{"Date", "Wed, 01 Jul 2026 11:58:00 GMT"}}, denied.Body()))))
	if err != nil {
		t.Fatal(err)
	}
	found[0].Keys = trusted()
	if r := explain.Explain(found[0]); !r.Allowed || r.Causes[0].ID != "T29" || r.Causes[0].Certainty != proved || !strings.Contains(r.Causes[0].Says, "5m0s ahead") {
		t.Errorf("Explain:\n%s", describe(r))
	}
}

func TestReadHARBodiesAndCookies(t *testing.T) {
	e := entry("GET", inCastle, 403, nil, nil, "PEVycm9yPg==")
	e["response"].(map[string]any)["content"].(map[string]any)["encoding"] = "base64"
	e["request"].(map[string]any)["cookies"] = []header{{"CloudFront-Key-Pair-Id", ecID}, {"a", "b"}}
	found, err := explain.ReadHAR([]byte(archive(e)))
	if err != nil || found[0].Response.Body != "<Error>" || found[0].Cookies[0] != "CloudFront-Key-Pair-Id="+ecID+"; a=b" {
		t.Errorf("ReadHAR = %+v, %v", found, err)
	}
}

func TestRefused(t *testing.T) {
	with := func(url string, status int, cookie string) explain.Input {
		in := explain.Input{URL: url, Response: explain.Response{Status: status}}
		if cookie != "" {
			in.Cookies = []string{cookie}
		}
		return in
	}
	tests := []struct {
		name string
		in   []explain.Input
		want string
	}{
		{"refused", []explain.Input{with("a", 200, ""), with("b", 403, ""), with("c", 0, ""), with("d", 413, "")}, "bd"},
		{"hidden by CORS", []explain.Input{with("a", 200, ""), with("b", 0, "")}, "b"},
		{"signed", []explain.Input{with("a", 200, "x=y"), with("b", 200, "CloudFront-Policy=x"), with("c?Key-Pair-Id=x", 200, "")}, "bc?Key-Pair-Id=x"},
		{"nothing", []explain.Input{with("a", 200, ""), with("b", 304, "")}, "ab"},
	}
	for _, tt := range tests {
		got := ""
		for _, in := range explain.Refused(tt.in) {
			got += in.URL
		}
		if got != tt.want {
			t.Errorf("%s: Refused = %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Every form that Read takes gives the same request.
func TestRead(t *testing.T) {
	s := good()
	cookie := s.cookies()[0]
	asJSON, _ := json.MarshalIndent(map[string]string{"CloudFront-Policy": s.policy, "CloudFront-Signature": s.signature, "CloudFront-Key-Pair-Id": s.id, "CloudFront-Hash-Algorithm": s.hash}, "", "  ")
	var netscape, devtools strings.Builder
	for _, pair := range s.pairs("CloudFront-") {
		name, value, _ := strings.Cut(pair, "=")
		fmt.Fprintf(&netscape, "#HttpOnly_.example.org\tTRUE\t/castle/\tTRUE\t1782908100\t%s\t%s\n", name, value)
		fmt.Fprintf(&devtools, "%s\t%s\t.example.org\t/castle/\tSession\t300\t✓\t✓\tLax\n", name, value)
	}
	forms := map[string]string{
		"list":             inCastle + "\nCookie: " + cookie + "\n",
		"byte order mark":  "\xef\xbb\xbf" + inCastle + "\nCookie: " + cookie + "\n",
		"method":           "GET " + inCastle + "\n" + cookie + "\n",
		"request headers":  "GET /castle/audio/01.m4a HTTP/2\nHost: media.example.org\nUser-Agent: x\nReferer: https://media.example.org/\ncookie: " + cookie + "\n\n",
		"exchange":         "GET /castle/audio/01.m4a HTTP/1.1\nHost: media.example.org\nCookie: " + cookie + "\n\nHTTP/1.1 403 Forbidden\nContent-Type: text/xml\n\n" + denied.Body(),
		"sign cookies":     inCastle + "\n" + strings.Join(s.pairs("CloudFront-"), "\n"),
		"sign, as JSON":    inCastle + "\n" + string(asJSON),
		"sign, as a jar":   inCastle + "\n# Netscape HTTP Cookie File\n" + netscape.String(),
		"developer tools":  inCastle + "\n" + devtools.String(),
		"Set-Cookie":       inCastle + "\nSet-By: https://api.example.org/v1/\nPage: https://app.example.org/\nSet-Cookie: " + strings.Join(s.set("; Domain=example.org; Path=/castle/; Secure"), "\nSet-Cookie: "),
		"curl command":     "curl '" + inCastle + "' \\\n  -H 'accept: */*' \\\n  -H 'cookie: " + cookie + "' \\\n  -A \"Mozilla \\\"5.0\\\"\" --compressed",
		"curl with -b":     "$ curl -X GET -b $'" + cookie + "' -e https://media.example.org/ " + inCastle,
		"curl with a file": "curl -b jar " + inCastle + " -H Cookie:\\ '" + cookie + "'",
		"transcript":       transcript("443", "/castle/audio/01.m4a", cookie, denied.Body(), "HTTP/2 403 "),
		"archive":          archive(entry("GET", inCastle, 403, []header{{"cookie", cookie}}, nil, "")),
	}
	for name, text := range forms {
		found, err := explain.Read([]byte(text))
		if err != nil || len(found) != 1 {
			t.Errorf("%s: Read = %d requests, %v", name, len(found), err)
			continue
		}
		in := found[0]
		in.Keys, in.At, in.Response = trusted(), noon, explain.Response{}
		if r := explain.Explain(in); !r.Allowed || r.URL != inCastle {
			t.Errorf("%s: Explain of %+v:\n%s", name, in, describe(r))
		}
	}
	for _, bad := range []string{"", "  \n", "hello", "Cookie: a=b", "/castle/a.m4a", "curl -I", "{\"entries\":1}", `{"log":{},"entries":[]}`} {
		if found, err := explain.Read([]byte(bad)); err == nil {
			t.Errorf("Read(%q) = %+v, want an error", bad, found)
		}
	}
	found, err := explain.Read([]byte(forms["exchange"]))
	if r := found[0].Response; err != nil || r.Status != 403 || r.Type != "text/xml" || !strings.Contains(r.Body, "AccessDenied") {
		t.Errorf("the answer in a list = %+v, %v", r, err)
	}
	if found, err := explain.Read([]byte("curl --head 'https://media.example.org/it'\\''s'")); err != nil || found[0].Method != "HEAD" || found[0].URL != "https://media.example.org/it's" {
		t.Errorf("Read of a HEAD command = %+v, %v", found, err)
	}
}

// A browser sends the cookie with the longer Path first, and drops what was
// deleted or replaced.
func TestBrowserJar(t *testing.T) {
	old := sealed(policyText(castle, noon.Add(-time.Hour)))
	tests := []struct {
		name    string
		answers []explain.Answer
		allowed bool
	}{
		{"replaced", []explain.Answer{answer(api, old.set(secure)...), answer(api, good().set(secure)...)}, true},
		{"not replaced, as the Path is another", []explain.Answer{answer(api, old.set("; Path=/")...), answer(api, good().set(secure)...)}, false},
		{"deleted by Max-Age", []explain.Answer{answer(api, old.set("; Path=/")...), answer(api, old.set("; Path=/; Max-Age=0")...), answer(api, good().set(secure)...)}, true},
		{"deleted by Expires", []explain.Answer{answer(api, old.set("; Path=/")...), {URL: api, Response: explain.Response{Date: noon}, SetCookie: old.set("; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT")}, answer(api, good().set(secure)...)}, true},
		{"Path too long to count", []explain.Answer{answer("https://media.example.org/castle/x", good().set("; Path=/"+strings.Repeat("x", 1100))...)}, true},
		{"Domain with a dot", []explain.Answer{answer("https://api.example.org/", good().set("; Domain=.Example.org; Path=/")...)}, true},
		{"Domain that is host and suffix", []explain.Answer{answer("https://media.example.org/", good().set("; Domain=media.example.org; Path=/")...)}, true},
		{"nonsense among them", []explain.Answer{answer("::", append(good().set("; Path=/castle/"), "=", "")...)}, true},
	}
	for _, tt := range tests {
		if r := explain.Explain(fresh(inCastle, "", tt.answers...)); r.Allowed != tt.allowed {
			t.Errorf("%s: allowed = %v, want %v\n%s", tt.name, r.Allowed, tt.allowed, describe(r))
		}
	}
	local := sealed(policyText("http://localhost:8080/castle/*", soon))
	if r := explain.Explain(fresh("http://localhost:8080/castle/a", "http://localhost:8080/", answer("http://localhost:8080/v1", local.set("; Path=/castle/; Secure")...))); !r.Allowed {
		t.Errorf("Secure cookies on localhost:\n%s", describe(r))
	}
}
