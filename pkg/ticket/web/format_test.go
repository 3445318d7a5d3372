package web_test

import (
	"net/http"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
	"github.com/handstamp/handstamp/pkg/ticket/web"
)

// TestXML: a SOAP answer, and what is not one.
func TestXML(t *testing.T) {
	soap := func(inner string) string {
		return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` + inner + `</s:Body></s:Envelope>`
	}
	good := `<r xmlns="urn:x"><Barcode>WEAK1</Barcode><IsValid>true</IsValid><Seat n="1"/></r>`
	tests := []struct {
		name, media, text string
		want              gate.Reason
		fails             bool
	}{
		{"good", "text/xml; charset=utf-8", soap(good), "", false},
		{"good, declared otherwise", "application/soap+xml", soap(good), "", false},
		{"false", "text/xml", soap(`<r><Barcode>WEAK1</Barcode><IsValid>false</IsValid></r>`), gate.ReasonSeeStaff, false},
		{"one as true", "text/xml", soap(`<r><Barcode>WEAK1</Barcode><IsValid>1</IsValid></r>`), "", true},
		{"True", "text/xml", soap(`<r><Barcode>WEAK1</Barcode><IsValid>True</IsValid></r>`), "", true},
		{"twice", "text/xml", soap(`<r><Barcode>WEAK1</Barcode><IsValid>false</IsValid><IsValid>true</IsValid></r>`), "", true},
		{"with an attribute", "text/xml", soap(`<r><Barcode>WEAK1</Barcode><IsValid nil="x">true</IsValid></r>`), "", true},
		{"missing", "text/xml", soap(`<r><Barcode>WEAK1</Barcode></r>`), "", true},
		{"another ticket", "text/xml", soap(`<r><Barcode>WEAK2</Barcode><IsValid>true</IsValid></r>`), "", true},
		{"cut", "text/xml", soap(good)[:150], "", true},
		{"two roots", "text/xml", soap(good) + soap(good), "", true},
		{"document type", "text/xml", `<!DOCTYPE a [<!ENTITY b "true">]>` + soap(`<r><Barcode>WEAK1</Barcode><IsValid>&b;</IsValid></r>`)[38:], "", true},
		{"JSON", "text/xml", `{"IsValid":true}`, "", true},
		{"as JSON", "application/json", soap(good), "", true},
		{"latin-1", "text/xml; charset=iso-8859-1", soap(good), "", true},
	}
	cfg := config("")
	cfg.Answer = web.Answer{Format: web.XML, Shape: `{Envelope: {Body: {r: {Barcode: string, IsValid: bool, Seat?: [{"@n": int}]}}}}`}
	cfg.Decide = web.Decide{
		Select: "body.Envelope.Body.r", Echo: "item.Barcode", Valid: "item.IsValid", Seats: "len(item.Seat)", Grants: []web.Grant{{Attraction: "castle"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			office := boxoffice.New(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.media)
				_, _ = w.Write([]byte(tt.text))
			})
			cfg.Request.URL = office.URL + "/{code}"
			ticket, err := source(t, cfg, options()).Verify(t.Context(), show("WEAK1"))
			switch {
			case tt.fails:
				unknown(t, "Verify", ticket, err, nil)
			case denied(err) != tt.want || err == nil && ticket.Seats != 1:
				t.Errorf("Verify = %+v, %v, want %q", ticket, err, tt.want)
			}
		})
	}
}

// TestText: an API that answers with a word.
func TestText(t *testing.T) {
	cfg := config("")
	cfg.Answer = web.Answer{Format: web.Text, Shape: "string"}
	cfg.Decide = web.Decide{
		InsecureNoEcho: true, Valid: `body == "OK" || hasPrefix(body, "USED ")`, FirstUse: `hasPrefix(body, "USED ") ? time(trimPrefix(body, "USED ")) : time("")`,
		Reasons: []web.Reason{{When: `body == "UNKNOWN"`, Reason: gate.ReasonUnknown}}, Grants: []web.Grant{{Attraction: "castle"}},
	}
	for text, want := range map[string]gate.Reason{"OK": "", " OK\n": "", "USED 2026-07-01T09:00:00Z": "", "UNKNOWN": gate.ReasonUnknown, "": gate.ReasonSeeStaff, "ok": gate.ReasonSeeStaff} {
		office := boxoffice.New(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte(text))
		})
		cfg.Request.URL = office.URL + "/{code}"
		ticket, err := source(t, cfg, options()).Verify(t.Context(), show("WEAK1"))
		if denied(err) != want || (err == nil) != (want == "") {
			t.Errorf("Verify with %q = %+v, %v, want %q", text, ticket, err, want)
		}
	}
}

// TestLists: an expression over lists in lists ends.
func TestLists(t *testing.T) {
	list := "1"
	for range 300 {
		list += ",1"
	}
	office := boxoffice.New(t, boxoffice.JSON(200, `{"code":"WEAK1","list":[`+list+`]}`))
	cfg := config(office.URL)
	cfg.Answer.Shape = `{code: string, list: [int]}`
	cfg.Decide = web.Decide{Echo: "item.code", Valid: "any(item.list, # == 1)", Grants: []web.Grant{{Attraction: "castle"}}}
	ticket, err := source(t, cfg, options()).Verify(t.Context(), show("WEAK1"))
	unknown(t, "Verify with 301 elements", ticket, err, web.ErrShape)
	cfg.Answer.Shape, cfg.Decide.Valid = `{code: string}`, "true"
	if _, err := source(t, cfg, options()).Verify(t.Context(), show("WEAK1")); err != nil {
		t.Errorf("Verify with a long list that is not declared = %v", err)
	}
	cfg.Answer.Shape, cfg.Decide.Valid = `{code: string, lost?: [int]}`, "item.lost[3] == 1"
	ticket, err = source(t, cfg, options()).Verify(t.Context(), show("WEAK1"))
	unknown(t, "Verify with an element that is not there", ticket, err, web.ErrExpression)
}
