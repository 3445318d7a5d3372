package httpapi_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIdempotencyKey(t *testing.T) {
	s := newSite(t)
	first := s.show(t, s.client, weakOneSeat, "", "Idempotency-Key", "K1")
	p := first.pass(t)
	// The answer was lost, and with it the session.
	for _, after := range []time.Duration{0, time.Minute, 9 * time.Minute} {
		s.at(noon.Add(after))
		other := s.device(t)
		if again := s.show(t, other, weakOneSeat, "", "Idempotency-Key", "K1").pass(t); again.Admission.ID != p.Admission.ID || again.Admission.Devices != 1 {
			t.Errorf("again after %v: %+v, want the one seat", after, again.Admission)
		}
		if s.sessionOf(t, other) != s.sessionOf(t, s.client) {
			t.Errorf("again after %v: another session", after)
		}
		s.holds(t, other, 1, "/castle/audio/")
	}
	// Without the key, or with another one, it is another device.
	for _, headers := range [][]string{nil, {"Idempotency-Key", "K2"}, {"Idempotency-Key", "k1"}} {
		if r := s.show(t, s.device(t), weakOneSeat, "", headers...); r.status != http.StatusForbidden {
			t.Errorf("%v: %d, want 403 as the seat is taken", headers, r.status)
		}
	}
	s.renew(t, s.client).pass(t)
}

func TestIdempotencyKeyOfAnotherRequest(t *testing.T) {
	s := newSite(t)
	s.show(t, s.client, strongPass, "castle", "Idempotency-Key", "K1").pass(t)
	for _, where := range []string{"", "zoo"} {
		r := s.show(t, s.device(t), strongPass, where, "Idempotency-Key", "K1")
		p := r.problem(t)
		if r.status != http.StatusUnprocessableEntity || p.Code != "idempotency_key_reused" || p.Reason != "" || len(r.cookies) != 0 {
			t.Errorf("at %q under the same key = %d %s, want 422", where, r.status, r.body)
		}
	}
	for _, code := range []string{strongCode, weakCode} { // another ticket has keys of its own
		if p := s.show(t, s.device(t), code, "", "Idempotency-Key", "K1").pass(t); p.Admission.Devices != 1 {
			t.Errorf("%s under the same key: %+v, want an admission of its own", code, p.Admission)
		}
	}
	if r := s.show(t, s.device(t), strongExpired, "", "Idempotency-Key", "K1"); r.status != http.StatusForbidden {
		t.Errorf("a ticket that is no good under the same key = %d, want 403", r.status)
	}
	// However the ticket is spelled, it is the same one.
	if r := s.show(t, s.device(t), strings.ToLower(strings.ReplaceAll(strongPass, "-", " ")), "castle", "Idempotency-Key", "K1"); r.status != 200 || r.pass(t).Admission.Devices != 1 {
		t.Errorf("the same ticket in another spelling = %d %s, want the same device", r.status, r.body)
	}
	if p := s.show(t, s.device(t), strongCode, "", "Idempotency-Key", "K1").pass(t); p.Admission.Devices != 1 {
		t.Errorf("%d devices, want the refused requests to have taken no seat", p.Admission.Devices)
	}
}

func TestIdempotencyKeyIsForgotten(t *testing.T) {
	s := newSite(t)
	first := s.show(t, s.client, strongLong, "", "Idempotency-Key", "K1").pass(t)
	s.at(noon.Add(24 * time.Hour))
	if p := s.show(t, s.device(t), strongCode, "", "Idempotency-Key", "K1").pass(t); p.Admission.ID == first.Admission.ID {
		t.Errorf("a day later: %+v, want an admission of its own", p.Admission)
	}
}

func TestIdempotencyKeyIsChecked(t *testing.T) {
	s := newSite(t)
	key := func(values ...string) (headers []string) {
		for _, v := range values {
			headers = append(headers, "Idempotency-Key", v)
		}
		return headers
	}
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"none", nil, 200},
		{"one character", key("K"), 200},
		{"a UUID", key("8e03978e-40d5-43dd-bc93-6894a57f9324"), 200},
		{"in quotes, as the draft has it", key(`"8e03978e"`), 200},
		{"128 characters", key(strings.Repeat("K", 128)), 200},
		{"129 characters", key(strings.Repeat("K", 129)), 400},
		{"4,000 characters", key(strings.Repeat("K", 4000)), 400},
		{"empty", key(""), 400},
		{"twice", key("K", "K"), 400},
		{"twice, with another", key("K", "L"), 400},
		{"twice, one of them empty", key("K", ""), 400},
	}
	for _, tt := range tests {
		r := s.show(t, s.device(t), weakZoo, "", tt.headers...)
		if r.status == 403 { // the zoo is full of them
			t.Fatalf("%s: %s", tt.name, r.body)
		}
		if r.status != tt.want || tt.want == 400 && (r.problem(t).Code != "bad_request" || len(r.cookies) != 0 || !strings.Contains(string(r.body), "Idempotency-Key")) {
			t.Errorf("%s: %d %s, want %d", tt.name, r.status, r.body, tt.want)
		}
	}
	if !slices.Contains(documentedHeaders("/v1/tickets/verify"), "Idempotency-Key") {
		t.Error("the header is not in the document")
	}
}

func documentedHeaders(path string) (names []string) {
	parameters, _ := at(document(), "paths", path, "post")["parameters"].([]any)
	for _, p := range parameters {
		if o := resolve(p.(object)); o["in"] == "header" {
			names = append(names, o["name"].(string))
		}
	}
	return names
}

func TestIdempotencyKeyDeliveryJSON(t *testing.T) {
	s := newSite(t)
	body := `{"ticket":"` + strongCode + `","delivery":"json"}`
	first := s.post(t, s.device(t), body, "Idempotency-Key", "K1").pass(t)
	again := s.post(t, s.device(t), body, "Idempotency-Key", "K1").pass(t)
	if again.Session != first.Session || again.Session == "" || again.Admission.Devices != 1 {
		t.Errorf("again = %+v, want the same session", again)
	}
}

// A device that holds another ticket sends its request again, and both go on.
func TestIdempotencyKeyWithAnotherTicket(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongZoo)
	old := s.sessionOf(t, s.client)
	s.at(noon.Add(5 * time.Minute))
	replies := make([]*reply, 2)
	for i := range replies { // from a jar that the first answer has not reached
		replies[i] = s.show(t, s.device(t), weakOneSeat, "", "Idempotency-Key", "K1", "Cookie", sessionName+"="+old)
		if p := replies[i].pass(t); len(p.Grants) != 2 || p.Admission.Devices != 1 {
			t.Errorf("pass = %+v, want both tickets", p)
		}
	}
	value := func(r *reply) string {
		i := slices.IndexFunc(r.cookies, func(c *http.Cookie) bool { return c.Name == sessionName })
		return r.cookies[i].Value
	}
	if value(replies[0]) != value(replies[1]) || strings.Count(value(replies[0]), ".") != 1 {
		t.Error("the second answer has other sessions than the first")
	}
	s.at(noon.Add(15 * time.Minute))
	if p := s.renewWith(t, value(replies[1])).pass(t); len(p.Grants) != 2 {
		t.Errorf("pass = %+v, want both tickets", p)
	}
}

// A page that is loaded again may show its ticket under its old key. The device
// has renewed meanwhile, and must not get its first session back.
func TestIdempotencyKeyAfterARenewal(t *testing.T) {
	s := newSite(t)
	s.show(t, s.client, weakOneSeat, "", "Idempotency-Key", "K1").pass(t)
	for i := 1; i <= 6; i++ {
		s.at(noon.Add(time.Duration(10*i) * time.Minute))
		if i%2 == 0 {
			if p := s.show(t, s.client, weakOneSeat, "", "Idempotency-Key", "K1").pass(t); p.Admission.Devices != 1 {
				t.Errorf("%d devices, want 1", p.Admission.Devices)
			}
		}
		s.renew(t, s.client).pass(t)
	}
	s.holds(t, s.client, 1, "/castle/audio/")
}

func TestIdempotencyKeyAfterAFailure(t *testing.T) {
	s := newSite(t)
	s.stamp = func() error { return errors.New("busy") }
	for range 3 {
		if r := s.show(t, s.client, weakOneSeat, "", "Idempotency-Key", "K1"); r.status != 503 || len(r.cookies) != 0 {
			t.Fatalf("with a broken stamper = %d, want 503", r.status)
		}
	}
	s.stamp = nil
	s.show(t, s.client, weakOneSeat, "", "Idempotency-Key", "K1").pass(t)
	// It counts for a day, and it is not what came with the refusal before it.
	full := s.show(t, s.device(t), weakOneSeat, "", "Idempotency-Key", "K2")
	if full.status != http.StatusForbidden {
		t.Fatalf("a second device = %d, want 403", full.status)
	}
	s.do(t, s.client, http.MethodDelete, admissionPath, nil)
	s.show(t, s.device(t), weakOneSeat, "", "Idempotency-Key", "K2").pass(t)
}
