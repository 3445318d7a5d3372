package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
	"github.com/handstamp/handstamp/pkg/ticket/web"
)

// A box office that is asked by GET and answers in JSON.
func Example() {
	office := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		boxoffice.Write(w, 200, `{"code":"CASTLE-7","status":"used","type":"audio","customer":{"name":"Visitor"}}`)
	}))
	defer office.Close()
	source, err := web.New(web.Config{
		Request: web.Request{URL: office.URL + "/v1/tickets/{code}"},
		Auth:    web.Auth{Header: []web.Field{{Name: "X-Api-Key", Value: "read from a file"}}},
		Answer:  web.Answer{Shape: `{code: string, status: string, type: string, valid_until: string?}`},
		Decide: web.Decide{
			Echo:    `item.code`,
			Valid:   `item.status in ["sold", "used"]`,
			Reasons: []web.Reason{{When: `item.status == "refunded"`, Reason: gate.ReasonCancelled}},
			Until:   `dayEnd(item.valid_until)`,
			Grants:  []web.Grant{{Attraction: "castle", Package: "basic"}, {When: `item.type == "audio"`, Attraction: "castle", Package: "audio"}},
		},
	}, web.Options{Outbound: outbound.Options{Allow: boxoffice.Loopback}}) // a public box office needs no Allow
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	ticket, err := source.Verify(context.Background(), gate.Credential{Code: "castle 7"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range ticket.Buys {
		fmt.Println(p.Attraction, p.Package)
	}
	trace, _ := source.Trace(context.Background(), gate.Credential{Code: "castle 7"})
	for _, step := range trace.Steps {
		fmt.Println(step.Name, "=", step.Result)
	}
	// Output:
	// castle basic
	// castle audio
	// echo = [redacted] (the code may be spelled in another way)
	// valid = true
	// until = none
	// grants[1].when = true
}
