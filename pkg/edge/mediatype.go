package edge

import "github.com/handstamp/handstamp/pkg/mediatype"

// contentType returns the type for a file name, or S3's for objects that were
// stored without one.
func contentType(name string) string {
	if kind, ok := mediatype.Of(name); ok {
		return kind
	}
	return "binary/octet-stream"
}
