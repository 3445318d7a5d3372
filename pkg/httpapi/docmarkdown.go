package httpapi

import (
	"html"
	"regexp"
	"strings"
)

// markdown returns what descriptions in openapi.yaml are written in as HTML:
// paragraphs, headings, lists, tables and code. Everything else is text.
func markdown(text string) string {
	var b strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		switch first := lines[0]; {
		case strings.HasPrefix(first, "## "):
			title := strings.TrimPrefix(first, "## ")
			b.WriteString(`<h2 id="` + anchor(title) + `">` + inline(title) + "</h2>\n")
			if len(lines) > 1 {
				b.WriteString(markdown(strings.Join(lines[1:], "\n")))
			}
		case strings.HasPrefix(first, "| ") && len(lines) > 1:
			b.WriteString(markdownTable(lines))
		case strings.HasPrefix(first, "- "):
			b.WriteString(markdownList(lines))
		case first != "":
			b.WriteString("<p>" + inline(strings.Join(lines, "\n")) + "</p>\n")
		}
	}
	return b.String()
}

func markdownTable(lines []string) string {
	var rows strings.Builder
	for i, line := range lines {
		cell := "td"
		switch i {
		case 0:
			cell = "th"
		case 1: // the rule below the heads
			continue
		}
		rows.WriteString("<tr>")
		for text := range strings.SplitSeq(strings.Trim(line, "| "), " | ") {
			rows.WriteString("<" + cell + ">" + inline(text) + "</" + cell + ">")
		}
		rows.WriteString("</tr>\n")
	}
	return `<div class="wide"><table>` + "\n" + rows.String() + "</table></div>\n"
}

// markdownList returns a list whose items may go on in indented lines.
func markdownList(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		if item, ok := strings.CutPrefix(line, "- "); ok {
			b.WriteString("<li>" + inline(item))
			continue
		}
		b.WriteString("\n" + inline(strings.TrimSpace(line)))
	}
	return "<ul>" + b.String() + "</ul>\n"
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// inline returns a text as HTML, with what is between backquotes as code.
func inline(text string) string {
	return codeSpan.ReplaceAllString(html.EscapeString(text), "<code>$1</code>")
}

var notAnchor = regexp.MustCompile(`[^A-Za-z0-9]+`)

// anchor returns a name for a place in the page.
func anchor(text string) string {
	return strings.Trim(notAnchor.ReplaceAllString(strings.ToLower(text), "-"), "-")
}
