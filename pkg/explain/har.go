package explain

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// errInput is returned for a recording that cannot be read.
var errInput = errors.New("cannot read the recording")

// maxEntries is how many requests of a recording are looked at.
const maxEntries = 10_000

// A harFile is the part of an HTTP archive (HAR 1.2) that matters here.
type harFile struct {
	Log *struct {
		Pages []struct {
			ID    string `json:"id"`
			Title string `json:"title"`
		} `json:"pages"`
		Entries []harEntry `json:"entries"`
	} `json:"log"`
}

type harEntry struct {
	Started string `json:"startedDateTime"`
	Page    string `json:"pageref"`
	Request struct {
		Method  string      `json:"method"`
		URL     string      `json:"url"`
		Headers []harHeader `json:"headers"`
		Cookies []harHeader `json:"cookies"`
	} `json:"request"`
	Response struct {
		Status  int         `json:"status"`
		Headers []harHeader `json:"headers"`
		Content struct {
			Type     string `json:"mimeType"`
			Text     string `json:"text"`
			Encoding string `json:"encoding"`
		} `json:"content"`
	} `json:"response"`
}

type harHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ReadHAR reads an HTTP archive as browsers' developer tools save it, and
// returns its requests in order. What earlier answers set is known to later
// ones. Times are those of the requests.
func ReadHAR(text []byte) ([]Input, error) {
	var file harFile
	if err := json.Unmarshal(text, &file); err != nil || file.Log == nil {
		return nil, fmt.Errorf(`%w: no HTTP archive, want JSON with "log" and "entries"`, errInput)
	}
	if len(file.Log.Entries) > maxEntries {
		return nil, fmt.Errorf("%w: %d requests, at most %d", errInput, len(file.Log.Entries), maxEntries)
	}
	pages := map[string]string{}
	for _, page := range file.Log.Pages {
		if strings.HasPrefix(page.Title, "http") {
			pages[page.ID] = page.Title
		}
	}
	var inputs []Input
	var set []SetCookie
	for _, e := range file.Log.Entries {
		in := e.input()
		in.Page, in.SetCookies = pages[e.Page], set[:len(set):len(set)]
		inputs = append(inputs, in)
		for _, h := range e.Response.Headers {
			if !strings.EqualFold(h.Name, "Set-Cookie") {
				continue
			}
			for line := range strings.SplitSeq(h.Value, "\n") { // Chromium joins them
				set = append(set, SetCookie{From: e.Request.URL, Header: line})
			}
		}
	}
	return inputs, nil
}

func (e *harEntry) input() Input {
	in := Input{URL: e.Request.URL, Method: e.Request.Method}
	in.At, _ = time.Parse(time.RFC3339, e.Started)
	for _, h := range e.Request.Headers {
		if strings.EqualFold(h.Name, "Cookie") {
			in.Cookies = append(in.Cookies, h.Value)
		}
	}
	if len(in.Cookies) == 0 && len(e.Request.Cookies) > 0 {
		var pairs []string
		for _, c := range e.Request.Cookies {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
		in.Cookies = []string{strings.Join(pairs, "; ")}
	}
	in.Response = Response{Status: e.Response.Status, Type: e.Response.Content.Type, Body: e.Response.Content.Text, Arrived: e.Response.Status > 0}
	if e.Response.Content.Encoding == "base64" {
		if body, err := base64.StdEncoding.DecodeString(in.Response.Body); err == nil {
			in.Response.Body = string(body)
		}
	}
	for _, h := range e.Response.Headers {
		in.Response.header(h.Name, h.Value)
	}
	return in
}

func (r *Response) header(name, value string) {
	switch strings.ToLower(name) {
	case "content-type":
		r.Type = value
	case "server":
		r.Server = value
	case "x-cache":
		r.XCache = value
	}
}

// Refused returns the inputs that came back with 403, or all of them if none did.
func Refused(inputs []Input) []Input {
	var refused []Input
	for _, in := range inputs {
		if in.Response.Status == 403 {
			refused = append(refused, in)
		}
	}
	if refused == nil {
		return inputs
	}
	return refused
}
