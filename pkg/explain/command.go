package explain

import (
	"fmt"
	"strings"
)

// readCommand reads a curl command, as developer tools copy a request.
func readCommand(text string) ([]Input, error) {
	c := command{in: Input{Recorded: true}}
	words := shellWords(strings.TrimPrefix(text, "$ "))
	for i := 1; i < len(words); i++ {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		if c.word(words[i], next) {
			i++
		}
	}
	if c.in.URL == "" {
		return nil, fmt.Errorf("%w: no URL in the curl command", errInput)
	}
	return []Input{c.in}, nil
}

type command struct{ in Input }

// word takes one word and reports whether it took the next one as well.
func (c *command) word(word, next string) bool {
	switch word {
	case "-H", "--header":
		name, value, _ := strings.Cut(next, ":")
		c.in.header(strings.TrimSpace(name), strings.TrimSpace(value))
	case "-b", "--cookie":
		if strings.Contains(next, "=") { // else it is a file
			c.in.Cookies = append(c.in.Cookies, next)
		}
	case "-e", "--referer":
		c.in.Page = next
	case "-X", "--request":
		c.in.Method = next
	case "-I", "--head":
		c.in.Method = "HEAD"
		return false
	default:
		if c.in.URL == "" && (strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "http://")) {
			c.in.URL = word
		}
		return false
	}
	return true
}

// shellWords splits a command as a POSIX shell does, with $'...' as bash has
// it. It expands nothing.
func shellWords(s string) []string {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			if s[i] != '\n' && s[i] != '\r' {
				word.WriteByte(s[i])
				inWord = true
			}
		case c == '\'' || c == '"' || c == '$' && i+1 < len(s) && s[i+1] == '\'':
			end, text := quotedWord(s, i)
			word.WriteString(text)
			i, inWord = end, true
		case strings.IndexByte(" \t\r\n", c) >= 0:
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words
}

// quotedWord reads what stands between the quotes that begin at i, and returns
// the place of the quote that ends it.
func quotedWord(s string, i int) (end int, text string) {
	var b strings.Builder
	bash := s[i] == '$'
	if bash {
		i++
	}
	quote := s[i]
	for i++; i < len(s) && s[i] != quote; i++ {
		if s[i] == '\\' && i+1 < len(s) && (bash || quote == '"' && strings.IndexByte("\\\"$`\n", s[i+1]) >= 0) {
			i++
			if bash && s[i] == 'n' {
				b.WriteByte('\n')
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return i, b.String()
}
