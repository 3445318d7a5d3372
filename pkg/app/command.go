package app

import (
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
)

// What follows is for commands that work on a book without a gateway.

// OpenIssuer returns the Issuer of cfg, with the configured pepper: a random
// one would make codes that no gateway knows.
func OpenIssuer(cfg *config.Config) (*Issuer, error) {
	if !cfg.Book.Lasting() {
		return nil, ErrNoLedger
	}
	pepper, err := pepper(cfg.Book.Pepper)
	if err != nil {
		return nil, err
	}
	return NewIssuer(cfg, pepper)
}

// Exposure returns how long cookies that are out live on at most, see
// gate.Keeper.
func Exposure(cfg *config.Config) time.Duration {
	opts := gate.Options{Lifetime: cfg.Cookies.Lifetime, Window: (&App{cfg: cfg}).window()}
	return gate.NewKeeper(nil, nil, nil, nil, opts).Exposure()
}

// Place returns a configured attraction.
func Place(cfg *config.Config, id string) (*gate.Attraction, error) {
	places, err := attractions(cfg)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		if p.ID == id {
			return p, nil
		}
	}
	return nil, fmt.Errorf("attraction %q is not configured", id)
}

// ProductCheck returns a function that returns an error for a product which no
// configured attraction has.
func ProductCheck(cfg *config.Config) (func(gate.Product) error, error) {
	places, err := attractions(cfg)
	if err != nil {
		return nil, err
	}
	return (&App{places: places}).checkProduct, nil
}
