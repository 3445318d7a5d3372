package httpapi

import (
	"html"
	"slices"
	"strings"
)

// schema describes a type that has a name.
func (d *describer) schema(name string, n node) {
	d.add(`<section id="type-`, anchor(name), `"><h3>`, html.EscapeString(name), "</h3>\n<p><small>", d.kind(n), "</small></p>\n",
		markdown(n.get(d.doc, "description").text()))
	var required []string
	for _, r := range n.get(d.doc, "required").items() {
		required = append(required, r.text())
	}
	properties := n.get(d.doc, "properties")
	if properties.there() {
		d.add("<dl>\n")
		for member, value := range properties.members() {
			d.member(member, value, slices.Contains(required, member))
		}
		d.add("</dl>\n")
	}
	d.add("</section>\n")
}

func (d *describer) member(name string, n node, required bool) {
	d.add("<dt><code>", html.EscapeString(name), "</code> <small>", d.kind(n))
	if !required {
		d.add(", may be left out")
	}
	d.add("</small></dt><dd>")
	if n.ref() == "" {
		d.add(markdown(n.get(d.doc, "description").text()))
	}
	d.add("</dd>\n")
}

// kind says in a few words what a value is, with links to types.
func (d *describer) kind(n node) string {
	if name := n.ref(); name != "" {
		return `<a href="#type-` + anchor(name) + `">` + html.EscapeString(name) + "</a>"
	}
	if all := n.get(d.doc, "oneOf").items(); len(all) > 0 {
		var kinds []string
		for _, one := range all {
			kinds = append(kinds, d.kind(one))
		}
		return strings.Join(kinds, " or ")
	}
	words := []string{html.EscapeString(n.get(d.doc, "type").text())}
	for name, value := range n.members() {
		switch name {
		case "items":
			words[0] = "list of " + d.kind(value)
		case "enum":
			words = append(words, d.choices(value))
		case "default", "pattern", "format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "maxProperties":
			words = append(words, limits[name]+" <code>"+html.EscapeString(value.text())+"</code>")
		}
	}
	return strings.Join(words, ", ")
}

// limits are the words for keywords of a schema.
var limits = map[string]string{"default": "if left out", "pattern": "matches", "format": "as", "minimum": "at least", "maximum": "at most",
	"minLength": "characters at least", "maxLength": "characters at most", "minItems": "entries at least", "maxItems": "entries at most", "maxProperties": "members at most"}

func (d *describer) choices(n node) string {
	var all []string
	for _, c := range n.items() {
		all = append(all, "<code>"+html.EscapeString(c.text())+"</code>")
	}
	return "one of " + strings.Join(all, " ")
}
