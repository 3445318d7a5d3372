package awslambda

import (
	"encoding/json"
	"errors"
	"strings"
)

// A form is one of the shapes that a request comes in.
type form int

const (
	unknown            form = iota
	httpAPI                 // API Gateway HTTP API, payload format 2.0
	httpAPI1                // the same, payload format 1.0
	functionURL             // Lambda function URL
	restAPI                 // API Gateway REST API
	loadBalancer            // Application Load Balancer with multi-value headers
	loadBalancerSingle      // the same without
)

// maxEvent is the largest event that is read, in bytes. Lambda takes 6 MB.
const maxEvent = 7 << 20

// An event has the members of all forms that are looked at.
type event struct {
	Version string `json:"version"`

	// payload format 2.0
	RawPath        string   `json:"rawPath"`
	RawQueryString string   `json:"rawQueryString"`
	Cookies        []string `json:"cookies"`

	// the others
	HTTPMethod        string              `json:"httpMethod"`
	Path              string              `json:"path"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`

	Headers         map[string]string `json:"headers"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
	Context         requestContext    `json:"requestContext"`

	form form
}

type requestContext struct {
	Stage      string           `json:"stage"`
	DomainName string           `json:"domainName"`
	Path       string           `json:"path"`
	ELB        *json.RawMessage `json:"elb"`
	HTTP       struct {
		Method   string `json:"method"`
		SourceIP string `json:"sourceIp"`
	} `json:"http"`
	Identity struct {
		SourceIP string `json:"sourceIp"`
	} `json:"identity"`
}

// parse reads an event and finds out its form. No error quotes the event.
func parse(payload []byte) (*event, error) {
	if len(payload) > maxEvent {
		return nil, malformed(errors.New("the event is larger than Lambda's are"))
	}
	e := &event{}
	if err := json.Unmarshal(payload, e); err != nil {
		return nil, malformed(errors.New("the event is not the JSON of a request"))
	}
	e.form = e.shape()
	switch e.form {
	case unknown:
		return nil, malformed(errors.New("the event is no request of API Gateway, a function URL or a load balancer"))
	case loadBalancerSingle:
		return e, nil
	}
	if e.method() == "" {
		return nil, malformed(errors.New("the event has no method"))
	}
	return e, nil
}

// shape tells the forms apart by what each of them alone has.
func (e *event) shape() form {
	switch {
	case e.Context.ELB != nil && e.MultiValueHeaders == nil && e.MultiValueQuery == nil:
		return loadBalancerSingle
	case e.Context.ELB != nil:
		return loadBalancer
	case e.Version == "2.0" && strings.Contains(e.Context.DomainName, ".lambda-url."):
		return functionURL
	case e.Version == "2.0":
		return httpAPI
	case e.Version == "1.0":
		return httpAPI1
	case e.Version == "" && e.HTTPMethod != "":
		return restAPI
	}
	return unknown
}

// second reports whether the event is in payload format 2.0.
func (e *event) second() bool { return e.form == httpAPI || e.form == functionURL }

func (e *event) method() string {
	if e.second() {
		return e.Context.HTTP.Method
	}
	return e.HTTPMethod
}
