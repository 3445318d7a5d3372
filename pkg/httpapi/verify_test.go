package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// attributes writes a cookie without its value: "name path attributes".
func attributes(c *http.Cookie) string {
	text := c.Name + " " + c.Path
	if c.Domain != "" {
		text += " Domain=" + c.Domain
	}
	if c.Secure {
		text += " Secure"
	}
	if c.HttpOnly {
		text += " HttpOnly"
	}
	switch c.SameSite {
	case http.SameSiteLaxMode:
		text += " Lax"
	case http.SameSiteStrictMode:
		text += " Strict"
	}
	if c.MaxAge < 0 && c.Value == "" {
		return text + " gone"
	}
	if c.MaxAge != 0 || !c.Expires.IsZero() || c.Value == "" {
		text += " unexpected"
	}
	return text
}

func allAttributes(cookies []*http.Cookie) []string {
	list := make([]string, len(cookies))
	for i, c := range cookies {
		list[i] = attributes(c)
	}
	slices.Sort(list)
	return list
}

// gone lists deletions of every CloudFront cookie for paths.
func gone(paths ...string) (list []string) {
	for _, path := range paths {
		for _, name := range cloudfront.CookieNames {
			list = append(list, name+" "+path+" Secure HttpOnly Lax gone")
		}
	}
	slices.Sort(list)
	return list
}

func TestVerifySetsCookies(t *testing.T) {
	const flags = " Secure HttpOnly Lax"
	for kind, unused := range map[keyring.Type][]string{
		keyring.ECDSA: {cloudfront.CookieExpires},
		keyring.RSA:   {cloudfront.CookieExpires, cloudfront.CookieHash},
	} {
		t.Run(string(kind), func(t *testing.T) {
			s := newSite(t, func(s *site) { s.keyType = kind })
			r := s.show(t, s.client, strongCode, "")
			want := append(gone("/castle/premium/"), sessionName+" /v1"+flags)
			for _, name := range cloudfront.CookieNames {
				text := name + " /castle/audio/" + flags
				if slices.Contains(unused, name) {
					text += " gone"
				}
				want = append(want, text)
			}
			slices.Sort(want)
			if got := allAttributes(r.cookies); !slices.Equal(got, want) {
				t.Errorf("cookies\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
			p := r.pass(t)
			if len(p.Grants) != 1 || p.Grants[0].Resource != s.url+"/castle/audio/*" || p.Grants[0].CookiePath != "/castle/audio/" ||
				!p.Grants[0].ExpiresAt.Equal(noon.Add(15*time.Minute)) || p.RefreshAfter != 600 || !p.ServerTime.Equal(noon) ||
				p.Admission.Devices != 1 || p.Admission.Seats != 2 || !p.Admission.EndsAt.Equal(noon.Add(24*time.Hour)) {
				t.Errorf("pass = %+v", p)
			}
			checkOpens(t, s)
		})
	}
}

// checkOpens asks the cookies in the jar about paths and times.
func checkOpens(t *testing.T, s *site) {
	t.Helper()
	end := noon.Add(15 * time.Minute)
	for _, tt := range []struct {
		path string
		at   time.Time
		want bool
	}{
		{"/castle/audio/01.m4a", noon, true},
		{"/castle/audio/hall/index.m3u8?x=1", noon, true},
		{"/castle/audio/01.m4a", end.Add(-time.Second), true},
		{"/castle/audio/01.m4a", end, false},
		{"/castle/premium/01.m4a", noon, false},
		{"/castle/audio2/01.m4a", noon, false},
		{"/castle/", noon, false},
		{"/spain/zoo/01.m4a", noon, false},
		{"/", noon, false},
	} {
		if got := s.opens(t, s.client, tt.path, tt.at); got != tt.want {
			t.Errorf("%s at %v: allowed %v, want %v", tt.path, tt.at, got, tt.want)
		}
	}
	// Nor do they when somebody carries them to another path.
	u, err := url.Parse(s.url + "/castle/audio/x")
	if err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for _, c := range s.client.Jar.Cookies(u) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	stolen := strings.Join(pairs, "; ")
	for path, want := range map[string]bool{"/castle/audio/x": true, "/castle/premium/x": false, "/spain/zoo/x": false, "/castle/audio/../premium/x": true} {
		// The last one CloudFront never sees: it normalises first. See the edge.
		if got := s.decide(path, stolen, noon); got != want {
			t.Errorf("cookies carried to %s: allowed %v, want %v", path, got, want)
		}
	}
}

// An old cookie beside a new signature would lock the viewer out.
func TestVerifyDeletesOldCookies(t *testing.T) {
	s := newSite(t)
	u, err := url.Parse(s.url + "/castle/audio/01.m4a")
	if err != nil {
		t.Fatal(err)
	}
	var old []*http.Cookie
	for _, name := range cloudfront.CookieNames {
		old = append(old, &http.Cookie{Name: name, Value: "1893456000", Path: "/castle/audio/", Secure: true})
	}
	s.client.Jar.SetCookies(u, old)
	s.admit(t, s.client, strongCode)
	if !s.opens(t, s.client, "/castle/audio/01.m4a", noon) {
		t.Errorf("old cookies lock the viewer out: %v", s.client.Jar.Cookies(u))
	}
}

func TestVerifyTwoAttractionsInOneJar(t *testing.T) {
	s := newSite(t)
	p := s.admit(t, s.client, strongPass)
	if len(p.Grants) != 3 || !p.Admission.EndsAt.Equal(noon.Add(6*time.Hour)) {
		t.Errorf("pass = %+v, want three grants until the ticket ends", p)
	}
	for _, path := range []string{"/castle/audio/x", "/castle/premium/x", "/spain/zoo/x"} {
		if !s.opens(t, s.client, path, noon) {
			t.Errorf("%s is closed", path)
		}
	}
	// A second ticket closes nothing that the first one opens.
	if p := s.admit(t, s.client, strongCode); len(p.Grants) != 4 {
		t.Errorf("%d grants with both tickets, want those of both", len(p.Grants))
	}
	for _, path := range []string{"/castle/audio/x", "/castle/premium/x", "/spain/zoo/x"} {
		if !s.opens(t, s.client, path, noon) {
			t.Errorf("%s is closed after a second ticket was shown", path)
		}
	}
}

func TestVerifyKeepsSecretsOutOfTheBody(t *testing.T) {
	s := newSite(t)
	r := s.show(t, s.client, strongCode, "")
	for _, c := range r.cookies {
		if c.Value != "" && c.Name != cloudfront.CookieHash && strings.Contains(string(r.body), c.Value) {
			t.Errorf("the body shows %s", c.Name)
		}
	}
	if strings.Contains(s.log.String(), strongCode) || strings.Contains(string(r.body), "K7QM") {
		t.Error("the code is shown")
	}
}

func TestVerifyDeliveryJSON(t *testing.T) {
	s := newSite(t)
	app := s.device(t)
	body := `{"ticket":"` + strongCode + `","delivery":"json"}`
	r := s.post(t, app, body)
	p := r.pass(t)
	if len(r.cookies) != 0 || p.Session == "" || len(p.Grants) != 1 {
		t.Fatalf("delivery json sets %v and answers %s", r.cookies, r.body)
	}
	var pairs []string
	for _, c := range p.Grants[0].Cookies {
		if c.Path != "/castle/audio/" || c.Domain != "" {
			t.Errorf("cookie %+v, want the grant's path", c)
		}
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	if !s.decide("/castle/audio/x", strings.Join(pairs, "; "), noon) {
		t.Errorf("the cookies in the body open nothing: %v", pairs)
	}

	bearer := []string{"Authorization", "Bearer " + p.Session}
	if got := s.do(t, app, http.MethodGet, admissionPath, nil, bearer...).pass(t); got.Admission.ID != p.Admission.ID {
		t.Errorf("bearer finds admission %s, want %s", got.Admission.ID, p.Admission.ID)
	}
	again := s.post(t, app, body, bearer...).pass(t)
	if again.Admission.Devices != 1 || again.Session == p.Session {
		t.Errorf("with bearer again: %+v, want the same seat and a new session", again.Admission)
	}
	bearer[1] = "Bearer " + again.Session
	if r := s.do(t, app, http.MethodDelete, admissionPath, nil, bearer...); r.status != http.StatusNoContent {
		t.Errorf("DELETE with bearer = %d", r.status)
	}
	if r := s.do(t, app, http.MethodGet, admissionPath, nil, bearer...); r.status != http.StatusUnauthorized {
		t.Errorf("GET after DELETE = %d, want 401", r.status)
	}
}

func TestVerifyDeliveryJSONIsNotForBrowsers(t *testing.T) {
	s := newSite(t)
	for _, headers := range [][]string{
		{"Origin", s.url},
		{"Origin", trustedOrigin},
		{"Sec-Fetch-Site", "same-origin"},
		{"Sec-Fetch-Site", "none"},
		{"Origin", s.url, "Sec-Fetch-Site", "same-origin"},
	} {
		r := s.post(t, s.device(t), `{"ticket":"`+strongCode+`","delivery":"json"}`, headers...)
		if r.status != http.StatusBadRequest || len(r.cookies) != 0 || strings.Contains(string(r.body), "session") || strings.Contains(string(r.body), "CloudFront") {
			t.Errorf("%v: %d %s, want 400", headers, r.status, r.body)
		}
		if r := s.post(t, s.device(t), `{"ticket":"`+weakZoo+`","delivery":"cookies"}`, headers...); r.status != http.StatusOK || len(r.cookies) == 0 {
			t.Errorf("%v: delivery cookies = %d, want 200", headers, r.status)
		}
	}
}

func TestVerifySameDeviceTakesOneSeat(t *testing.T) {
	s := newSite(t)
	first := s.admit(t, s.client, weakOneSeat)
	for range 3 {
		if p := s.admit(t, s.client, weakOneSeat); p.Admission.Devices != 1 || p.Admission.ID != first.Admission.ID {
			t.Errorf("the same device again: %+v, want one seat in %s", p.Admission, first.Admission.ID)
		}
	}
	if r := s.show(t, s.device(t), weakOneSeat, ""); r.status != http.StatusForbidden {
		t.Errorf("a second device = %d, want 403", r.status)
	}
}

func TestVerifySeatsTaken(t *testing.T) {
	s := newSite(t)
	for range 2 {
		s.admit(t, s.device(t), strongCode)
	}
	third := s.device(t)
	r := s.show(t, third, strongCode, "")
	if p := r.problem(t); r.status != http.StatusForbidden || p.Reason != "seats_taken" || len(r.cookies) != 0 {
		t.Errorf("a third device = %d %s, want seats_taken and no cookies", r.status, r.body)
	}
	s.do(t, s.client, http.MethodGet, admissionPath, nil)
}

func TestAdmissionAndLeave(t *testing.T) {
	s := newSite(t)
	if r := s.do(t, s.client, http.MethodGet, admissionPath, nil); r.status != http.StatusUnauthorized ||
		!slices.Equal(allAttributes(r.cookies), []string{sessionName + " /v1 Secure HttpOnly Lax gone"}) {
		t.Errorf("GET before the ticket = %d, cookies %v, want 401 and the session deleted", r.status, allAttributes(r.cookies))
	}
	shown := s.admit(t, s.client, strongPass)
	r := s.do(t, s.client, http.MethodGet, admissionPath, nil)
	found := r.pass(t)
	if found.Admission.ID != shown.Admission.ID || len(found.Grants) != 3 || !found.Grants[0].ExpiresAt.Equal(noon.Add(6*time.Hour)) || len(r.cookies) != 0 {
		t.Errorf("GET = %+v, cookies %v, want the admission and no cookies", found, r.cookies)
	}
	if r := s.do(t, s.client, http.MethodHead, admissionPath, nil); r.status != http.StatusOK || len(r.cookies) != 0 {
		t.Errorf("HEAD = %d, cookies %v, want 200 and none", r.status, r.cookies)
	}

	everything := append(gone("/castle/audio/", "/castle/premium/", "/spain/zoo/"), sessionName+" /v1 Secure HttpOnly Lax gone")
	slices.Sort(everything)
	for range 2 {
		r := s.do(t, s.client, http.MethodDelete, admissionPath, nil)
		if got := allAttributes(r.cookies); r.status != http.StatusNoContent || !slices.Equal(got, everything) {
			t.Errorf("DELETE = %d, cookies\n  %s\nwant\n  %s", r.status, strings.Join(got, "\n  "), strings.Join(everything, "\n  "))
		}
	}
	for _, path := range []string{"/v1/admission", "/castle/audio/x", "/castle/premium/x", "/spain/zoo/x"} {
		u, err := url.Parse(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		if left := s.client.Jar.Cookies(u); len(left) != 0 {
			t.Errorf("%s still gets %v", path, left)
		}
	}
	if r := s.do(t, s.client, http.MethodGet, admissionPath, nil); r.status != http.StatusUnauthorized {
		t.Errorf("GET after DELETE = %d, want 401", r.status)
	}
}

func TestAdmissionEnds(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongPass)
	s.at(noon.Add(6*time.Hour - time.Second))
	if r := s.do(t, s.client, http.MethodGet, admissionPath, nil); r.status != http.StatusOK {
		t.Errorf("GET a second before the end = %d, want 200", r.status)
	}
	s.at(noon.Add(6 * time.Hour))
	if r := s.do(t, s.client, http.MethodGet, admissionPath, nil); r.status != http.StatusUnauthorized {
		t.Errorf("GET at the end = %d, want 401", r.status)
	}
}

// A visit goes on at the second attraction, and ends when it would have ended.
func TestAdmissionAtTheNextAttraction(t *testing.T) {
	s := newSite(t)
	s.show(t, s.client, strongLong, "castle")
	s.at(noon.Add(time.Hour))
	s.show(t, s.client, strongLong, "zoo")
	p := s.do(t, s.client, http.MethodGet, admissionPath, nil).pass(t)
	if len(p.Grants) != 3 || p.Admission.Devices != 1 {
		t.Errorf("GET = %+v, want all three packages on one device", p)
	}
	for _, g := range p.Grants {
		if !g.ExpiresAt.Equal(noon.Add(24*time.Hour)) || !p.Admission.EndsAt.Equal(noon.Add(24*time.Hour)) {
			t.Errorf("%s/%s ends %v, the admission %v, want a day after it began", g.Attraction, g.Package, g.ExpiresAt, p.Admission.EndsAt)
		}
	}
}

// A pass of the last second still says when to ask again.
func TestVerifyRefreshIsNeverZero(t *testing.T) {
	s := newSite(t)
	s.at(noon.Add(6*time.Hour - time.Second))
	if p := s.admit(t, s.client, strongPass); p.RefreshAfter != 1 || !p.Grants[0].ExpiresAt.Equal(noon.Add(6*time.Hour)) {
		t.Errorf("pass = %+v, want one second", p)
	}
}

func TestSession(t *testing.T) {
	s := newSite(t)
	app := s.device(t)
	session := s.post(t, app, `{"ticket":"`+strongCode+`","delivery":"json"}`).pass(t).Session
	cookie := func(values ...string) (headers []string) {
		for _, v := range values {
			headers = append(headers, "Cookie", sessionName+"="+v)
		}
		return headers
	}
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"none", nil, 401},
		{"cookie", cookie(session), 200},
		{"cookie twice", cookie(session, session), 200},
		{"cookie and another", cookie(session, "X"), 401},
		{"another and cookie", cookie("X", session), 401},
		{"cookie in one header with another", []string{"Cookie", sessionName + "=" + session + "; " + sessionName + "=X"}, 401},
		{"cookie of another name", []string{"Cookie", "handstamp_admission=" + session}, 401},
		{"cookie of a host of its own", []string{"Cookie", "__Host-handstamp_admission=" + session}, 401},
		{"cookie in another case", []string{"Cookie", strings.ToUpper(sessionName) + "=" + session}, 401},
		{"empty", cookie(""), 401},
		{"truncated", cookie(session[1:]), 401},
		{"lower case", cookie(strings.ToLower(session)), 401},
		{"long", cookie(strings.Repeat("A", 129)), 401},
		{"bearer", []string{"Authorization", "Bearer " + session}, 200},
		{"bearer beside a dead cookie", append(cookie("X"), "Authorization", "Bearer "+session), 401},
		{"two bearers", []string{"Authorization", "Bearer " + session, "Authorization", "Bearer " + session}, 401},
		{"basic", []string{"Authorization", "Basic " + session}, 401},
		{"bare", []string{"Authorization", session}, 401},
		{"in the query", nil, 401},
		{"4,000 cookies", []string{"Cookie", strings.Repeat("a=b; ", 3999) + sessionName + "=" + session}, 401},
	}
	for _, tt := range tests {
		path := admissionPath
		if tt.name == "in the query" {
			path += "?" + sessionName + "=" + session + "&access_token=" + session
		}
		if r := s.do(t, app, http.MethodGet, path, nil, tt.headers...); r.status != tt.want {
			t.Errorf("%s: GET = %d, want %d", tt.name, r.status, tt.want)
		}
	}
}

func TestSessionCookieNames(t *testing.T) {
	tests := []struct {
		name   string
		change func(*site)
		want   string
	}{
		{"host of its own", func(s *site) { s.opts.OwnHost = true }, "__Host-handstamp_admission / Secure HttpOnly Lax"},
		{"strict", func(s *site) { s.opts.SameSite = http.SameSiteStrictMode }, sessionName + " /v1 Secure HttpOnly Strict"},
		{"any origin", func(s *site) { s.opts.PublicOrigin = "" }, sessionName + " /v1 Secure HttpOnly Lax"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.change)
			client := s.device(t)
			response, err := client.Post(s.url+verifyPath, "application/json", strings.NewReader(`{"ticket":"`+strongCode+`"}`))
			if err != nil {
				t.Fatal(err)
			}
			r := readReply(t, response)
			var got string
			for _, c := range r.cookies {
				if strings.Contains(c.Name, "handstamp") {
					got += attributes(c)
				}
			}
			if r.status != 200 || got != tt.want {
				t.Errorf("%d, session cookie %q, want %q", r.status, got, tt.want)
			}
		})
	}
}

// Over http, in development, nothing is Secure and there is no HSTS.
func TestDevelopment(t *testing.T) {
	s := newSite(t, func(s *site) {
		s.url = "http://" + s.server.Listener.Addr().String()
		s.opts.PublicOrigin = s.url
	})
	response, err := s.client.Post(s.url+verifyPath, "application/json", strings.NewReader(`{"ticket":"`+strongCode+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r := readReply(t, response)
	got := allAttributes(r.cookies)
	if r.status != 200 || got[len(got)-1] != "handstamp_admission /v1 HttpOnly Lax" || strings.Contains(fmt.Sprint(got), "Secure") || r.header.Get("Strict-Transport-Security") != "" {
		t.Errorf("%d, cookies %v, HSTS %q", r.status, got, r.header.Get("Strict-Transport-Security"))
	}
	if !s.opens(t, s.client, "/castle/audio/x", noon) {
		t.Error("the cookies open nothing")
	}
}

func TestContent(t *testing.T) {
	s := newSite(t)
	list := s.do(t, s.client, http.MethodGet, "/v1/attractions", nil)
	if want := `{"attractions":[{"id":"castle","name":"Example Castle","intro":"Eight centuries.","cover_url":"https://media.example.org/castle/free/cover.jpg",` +
		`"timezone":"Europe/Madrid","packages":[{"id":"audio","name":"Audio guide"}]},{"id":"zoo","name":"Zoo","packages":[]}]}` + "\n"; string(list.body) != want {
		t.Errorf("list\n%s\nwant\n%s", list.body, want)
	}
	zoo := s.do(t, s.client, http.MethodGet, "/v1/attractions/zoo/content", nil)
	if want := `{"attraction":{"id":"zoo","name":"Zoo","packages":[]},"packages":[],"items":[],"server_time":"2026-07-01T12:00:00Z"}` + "\n"; string(zoo.body) != want {
		t.Errorf("zoo\n%s\nwant\n%s", zoo.body, want)
	}
	castle := s.do(t, s.client, http.MethodGet, contentPath, nil)
	if want := `{"id":"map","title":"Map","kind":"map","package":"","url":"https://media.example.org/castle/free/map.svg"}]`; !strings.Contains(string(castle.body), want) {
		t.Errorf("castle\n%s\nwant it to have\n%s", castle.body, want)
	}
	for _, r := range []*reply{list, zoo, castle} {
		if r.status != 200 || len(r.cookies) != 0 {
			t.Errorf("%d, cookies %v, want 200 and none", r.status, r.cookies)
		}
	}
}

func TestOperations(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]string{"/healthz": `{"status":"ok"}` + "\n", "/readyz": `{"status":"ready"}` + "\n", "/openapi.yaml": string(httpapi.OpenAPI())} {
		if r := s.do(t, s.client, http.MethodGet, path, nil); r.status != 200 || string(r.body) != want {
			t.Errorf("GET %s = %d %.80s", path, r.status, r.body)
		}
	}
	s.api.Drain()
	if r := s.do(t, s.client, http.MethodGet, "/readyz", nil); r.status != 503 || r.problem(t).Code != "draining" {
		t.Errorf("GET /readyz while draining = %d %s", r.status, r.body)
	}
	if r := s.do(t, s.client, http.MethodHead, "/readyz", nil); r.status != 503 {
		t.Errorf("HEAD /readyz while draining = %d", r.status)
	}
	for _, path := range []string{"/healthz", "/v1/attractions"} {
		if r := s.do(t, s.client, http.MethodGet, path, nil); r.status != 200 {
			t.Errorf("GET %s while draining = %d, want 200", path, r.status)
		}
	}
}

// The zero Options are ready for use.
func TestZeroOptions(t *testing.T) {
	s := newSite(t)
	api, err := httpapi.New(s.keeper(t), nil, httpapi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.api = api
	response, err := s.client.Get(s.url + "/v1/attractions")
	if err != nil {
		t.Fatal(err)
	}
	if r := readReply(t, response); r.status != 200 || string(r.body) != `{"attractions":[]}`+"\n" {
		t.Errorf("GET = %d %s", r.status, r.body)
	}
}
