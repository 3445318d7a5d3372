package mirror

import (
	"path"
	"strings"
)

// CatalogueName is what the list of an attraction's files is called.
const CatalogueName = "guide.yaml"

// A stage is when a file is put: after those that it lists.
type stage int

const (
	media stage = iota
	playlist
	catalogue
)

func stageOf(name string) stage {
	if path.Base(name) == CatalogueName {
		return catalogue
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".m3u8", ".mpd":
		return playlist
	}
	return media
}

// turn is when a step is taken, from 0: what lists others is put after them and
// deleted before them, and nothing is deleted before all is there.
func (s Step) turn() int {
	if s.Action == Delete {
		return int(catalogue) + 1 + int(catalogue-stageOf(s.Name))
	}
	return int(stageOf(s.Name))
}
