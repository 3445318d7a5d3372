package mirror

import "github.com/handstamp/handstamp/pkg/mediatype"

// contentType returns the type that a file is stored with, by its name.
func contentType(name string) string {
	if kind, ok := mediatype.Of(name); ok {
		return kind
	}
	return "application/octet-stream"
}
