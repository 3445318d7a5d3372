package app

import (
	"cmp"
	"fmt"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
)

// attractions returns the attractions of cfg as the gate knows them. The error
// is nil for a configuration that was checked.
func attractions(cfg *config.Config) ([]*gate.Attraction, error) {
	var all []*gate.Attraction
	for _, c := range cfg.Attractions {
		place, err := attraction(c)
		if err != nil {
			return nil, fmt.Errorf("attraction %q: %w", c.ID, err)
		}
		all = append(all, place)
	}
	return all, nil
}

func attraction(c config.Attraction) (*gate.Attraction, error) {
	calendar, err := c.Calendar()
	if err != nil {
		return nil, err
	}
	place := &gate.Attraction{
		ID: c.ID, Name: c.Name, Prefix: cmp.Or(c.Prefix, c.ID), Zone: calendar.Zone,
		Free: c.Free, Calendar: calendar, Sources: c.Sources,
	}
	for _, p := range c.Packages {
		place.Packages = append(place.Packages, gate.Package{ID: p.ID, Name: p.Name, Seats: p.Seats})
	}
	return place, nil
}
