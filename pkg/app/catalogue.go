package app

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/guide"
	"github.com/handstamp/handstamp/pkg/httpapi"
)

// catalogues returns what visitors see of every attraction.
func (a *App) catalogues() ([]httpapi.Place, error) {
	var places []httpapi.Place
	for i, c := range a.cfg.Attractions {
		catalogue, err := a.catalogue(c)
		if err != nil {
			return nil, err
		}
		places = append(places, a.place(c, a.places[i].Prefix, catalogue))
	}
	return places, nil
}

// catalogue reads an attraction's guide.yaml, from its own folder or from the
// media that replaces it. Without one the list is empty.
func (a *App) catalogue(c config.Attraction) (*guide.Catalogue, error) {
	if c.Content == "" {
		return &guide.Catalogue{}, nil
	}
	var fsys fs.FS = os.DirFS(filepath.Dir(c.Content))
	name := filepath.Base(c.Content)
	if a.opts.Media != nil {
		fsys, name = a.opts.Media, c.Content
	}
	catalogue, err := guide.LoadCatalogue(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("attraction %q: content: %w", c.ID, err)
	}
	return catalogue, nil
}

func (a *App) place(c config.Attraction, prefix string, catalogue *guide.Catalogue) httpapi.Place {
	address := func(file string) string {
		if file == "" {
			return ""
		}
		return a.site.URL("/" + path.Join(prefix, file))
	}
	p := httpapi.Place{ID: c.ID, Name: c.Name, Intro: catalogue.Intro, CoverURL: address(catalogue.Cover), Timezone: c.Timezone}
	for _, pkg := range c.Packages {
		p.Packages = append(p.Packages, httpapi.PlacePackage{ID: pkg.ID, Name: pkg.Name})
	}
	for _, item := range catalogue.Items {
		p.Items = append(p.Items, httpapi.Item{
			ID: item.ID, Stop: item.Stop, Title: item.Title, Kind: string(item.Kind), Package: item.Package,
			URL: address(item.File), StreamURL: address(item.Stream), ImageURL: address(item.Image),
			Seconds: item.Duration.Seconds(), Text: item.Text,
		})
	}
	return p
}
