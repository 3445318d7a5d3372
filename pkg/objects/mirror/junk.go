package mirror

import "strings"

// junk says why a file or folder is left out, by its own name. Empty means that
// it is not.
func junk(name string) string {
	switch lower := strings.ToLower(name); {
	case strings.HasPrefix(name, "."):
		return "hidden"
	case lower == "thumbs.db" || lower == "ehthumbs.db" || lower == "desktop.ini" || lower == "__macosx":
		return "left by the system"
	case strings.HasSuffix(name, "~") || strings.HasPrefix(name, "~$"):
		return "left by an editor"
	}
	return ""
}
