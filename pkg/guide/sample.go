package guide

import (
	"embed"
	"io/fs"
)

//go:embed sample/castle sample/zoo
var sampleFiles embed.FS

// Sample returns the sample attractions, "castle" and "zoo", both invented. Each
// is a folder with a guide.yaml, what is free under free/, and one folder per
// package: "castle/free/welcome.m4a" opens.
func Sample() fs.FS {
	return sub(sampleFiles, "sample")
}

// sub is fs.Sub for a folder that is known to be embedded.
func sub(files embed.FS, dir string) fs.FS {
	inside, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // only for an invalid name, and ours are constants
	}
	return inside
}
