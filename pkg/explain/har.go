package explain

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

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
// returns its requests in order. They are judged by the date of their answers;
// the browser's clock is kept beside it.
func ReadHAR(text []byte) ([]Input, error) {
	var file harFile
	if err := json.Unmarshal(text, &file); err != nil || file.Log == nil {
		return nil, fmt.Errorf(`%w: no HTTP archive, want JSON with "log" and "entries"`, errInput)
	}
	if n := len(file.Log.Entries); n == 0 || n > maxRequests {
		return nil, fmt.Errorf("%w: the archive has %d requests, want 1 to %d", errInput, n, maxRequests)
	}
	pages := map[string]string{}
	for _, page := range file.Log.Pages {
		if strings.HasPrefix(page.Title, "http") {
			pages[page.ID] = page.Title
		}
	}
	var r recording
	cookies := false
	for _, e := range file.Log.Entries {
		in, set := e.input(), e.setCookies()
		if in.Page == "" {
			in.Page = pages[e.Page]
		}
		cookies = cookies || len(in.Cookies) > 0 || len(set) > 0
		r.add(in, set)
	}
	if !cookies {
		r.stripped()
	}
	return r.inputs, nil
}

func (e *harEntry) input() Input {
	in := Input{URL: e.Request.URL, Method: e.Request.Method}
	for _, h := range e.Request.Headers {
		in.header(h.Name, h.Value)
	}
	if len(in.Cookies) == 0 && len(e.Request.Cookies) > 0 {
		var pairs []string
		for _, c := range e.Request.Cookies {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
		in.Cookies = []string{strings.Join(pairs, "; ")}
	}
	in.Response = e.response()
	in.Clock, _ = time.Parse(time.RFC3339, e.Started)
	in.At = in.Response.Date
	if in.At.IsZero() {
		in.At, in.Clock = in.Clock, time.Time{}
	}
	return in
}

// header takes over one header of a request.
func (in *Input) header(name, value string) {
	switch strings.ToLower(name) {
	case "cookie":
		in.Cookies = append(in.Cookies, value)
	case "referer", "page":
		in.Page = value
	case "origin":
		if in.Page == "" && value != "null" {
			in.Page = value
		}
	}
}

func (e *harEntry) response() Response {
	body := e.Response.Content.Text
	if e.Response.Content.Encoding == "base64" {
		if plain, err := base64.StdEncoding.DecodeString(body); err == nil {
			body = string(plain)
		}
	}
	r := Response{Status: e.Response.Status, Type: e.Response.Content.Type, Body: body[:min(len(body), maxBody)]}
	for _, h := range e.Response.Headers {
		r.header(h.Name, h.Value)
	}
	return r
}

// setCookies are the values of the Set-Cookie headers; Chromium joins several by
// line breaks.
func (e *harEntry) setCookies() []string {
	var lines []string
	for _, h := range e.Response.Headers {
		if strings.EqualFold(h.Name, "Set-Cookie") {
			lines = append(lines, strings.Split(h.Value, "\n")...)
		}
	}
	return lines
}
