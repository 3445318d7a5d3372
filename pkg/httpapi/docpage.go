package httpapi

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html"
	"net/http"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed docpage.css
var docStyle string

// docPage is the page that describes the API, made of openapi.yaml once it is
// asked for.
var docPage = sync.OnceValue(func() []byte { return []byte(describe(openAPI)) })

// docPolicy lets the page have its own style and nothing else.
var docPolicy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(docStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

// handleDocs serves GET /docs: openapi.yaml for people.
func (s *Server) handleDocs(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", docPolicy())
	_, _ = w.Write(docPage())
}

// A describer writes the page of an OpenAPI document.
type describer struct {
	strings.Builder
	doc node
}

// describe returns the page of a document that can be read.
func describe(text []byte) string {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil { // it is embedded, and a test reads it
		panic(err)
	}
	d := &describer{doc: node{root.Content[0]}}
	info := d.doc.get(d.doc, "info")
	title := html.EscapeString(info.get(d.doc, "title").text())
	d.add(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`,
		"<title>", title, " API</title><style>", docStyle, "</style></head><body>\n<header><h1>", title, " API</h1><p>",
		inline(info.get(d.doc, "summary").text()), ` The same for programs: <a href="/openapi.yaml">openapi.yaml</a>.</p></header>`, "\n")
	d.contents()
	d.add("<main>\n", markdown(info.get(d.doc, "description").text()))
	for _, tag := range d.doc.get(d.doc, "tags").items() {
		d.tag(tag)
	}
	d.add(`<h2 id="types">Types</h2>`, "\n")
	for name, schema := range d.doc.get(d.doc, "components", "schemas").members() {
		d.schema(name, schema)
	}
	d.add("</main></body></html>\n")
	return d.String()
}

func (d *describer) add(parts ...string) {
	for _, p := range parts {
		d.WriteString(p)
	}
}

// An operation is a method of a path.
type operation struct {
	method, path string
	shared       node // parameters of all methods of the path
	node
}

// operations returns those of a tag.
func (d *describer) operations(tag string) (all []operation) {
	for path, methods := range d.doc.get(d.doc, "paths").members() {
		for method, op := range methods.members() {
			of := slices.ContainsFunc(op.get(d.doc, "tags").items(), func(n node) bool { return n.text() == tag })
			if of && method != "head" { // as GET, without the body
				all = append(all, operation{strings.ToUpper(method), path, methods.get(d.doc, "parameters"), op})
			}
		}
	}
	return all
}

func (o operation) id(doc node) string { return anchor(o.get(doc, "operationId").text()) }

// contents lists the operations with links.
func (d *describer) contents() {
	d.add("<nav><ul>\n")
	for _, tag := range d.doc.get(d.doc, "tags").items() {
		for _, op := range d.operations(tag.get(d.doc, "name").text()) {
			d.add(`<li><a href="#`, op.id(d.doc), `"><b class="`, op.method, `">`, op.method, "</b> <code>", html.EscapeString(op.path), "</code></a></li>\n")
		}
	}
	d.add(`<li><a href="#codes">Codes</a></li><li><a href="#types">Types</a></li></ul></nav>`, "\n")
}

func (d *describer) tag(tag node) {
	name := tag.get(d.doc, "name").text()
	d.add(`<h2 class="tag">`, html.EscapeString(name), "</h2>\n", markdown(tag.get(d.doc, "description").text()))
	for _, op := range d.operations(name) {
		d.operation(op)
	}
}

func (d *describer) operation(op operation) {
	d.add(`<section id="`, op.id(d.doc), `"><h3><b class="`, op.method, `">`, op.method, "</b> <code>", html.EscapeString(op.path), "</code></h3>\n",
		`<p class="summary">`, inline(op.get(d.doc, "summary").text()), "</p>\n", markdown(op.get(d.doc, "description").text()))
	d.parameters(op)
	if body := op.get(d.doc, "requestBody"); body.there() {
		d.add("<h4>Request</h4>\n", markdown(body.get(d.doc, "description").text()))
		d.body(body)
	}
	d.add("<h4>Replies</h4>\n<dl>\n")
	for status, raw := range op.get(d.doc, "responses").members() {
		reply := raw.resolve(d.doc)
		d.add("<dt>", html.EscapeString(status), "</dt><dd>", markdown(reply.get(d.doc, "description").text()))
		if strings.HasPrefix(status, "2") {
			d.body(reply)
		}
		d.add("</dd>\n")
	}
	d.add("</dl></section>\n")
}

func (d *describer) parameters(op operation) {
	list := append(op.shared.items(), op.get(d.doc, "parameters").items()...)
	if len(list) == 0 {
		return
	}
	d.add("<h4>Parameters</h4>\n<dl>\n")
	for _, raw := range list {
		p := raw.resolve(d.doc)
		d.add("<dt><code>", html.EscapeString(p.get(d.doc, "name").text()), "</code> <small>", html.EscapeString(p.get(d.doc, "in").text()), ", ",
			d.kind(p.get(d.doc, "schema")), "</small></dt><dd>", markdown(p.get(d.doc, "description").text()), "</dd>\n")
	}
	d.add("</dl>\n")
}

// body describes what is sent in a request or a reply, with its examples.
func (d *describer) body(n node) {
	for kind, content := range n.get(d.doc, "content").members() {
		d.add("<p><small>", html.EscapeString(kind), "</small> ")
		for name, value := range content.members() {
			if name == "schema" {
				d.add(d.kind(value))
			}
		}
		d.add("</p>\n")
		for name, example := range content.get(d.doc, "examples").members() {
			if value := example.resolve(d.doc).get(d.doc, "value"); value.there() {
				d.add("<details><summary>Example: ", html.EscapeString(name), "</summary><pre>", html.EscapeString(value.json()), "</pre></details>\n")
			}
		}
	}
}
