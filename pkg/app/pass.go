package app

import (
	"errors"
	"fmt"
	"slices"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/totp"
)

// Passes makes passes for one source of kind totp.
type Passes struct {
	Algorithm totp.Algorithm
	Digits    int

	source string
	pepper []byte
	master []byte
}

// ErrNoMaster is returned for a source whose passes have secrets of their own.
var ErrNoMaster = errors.New("the passes have a list of secrets and no master key to make new ones from")

// OpenPasses returns what makes passes for the source of cfg with an id.
func OpenPasses(cfg *config.Config, id string) (*Passes, error) {
	i := slices.IndexFunc(cfg.Sources, func(s config.Source) bool { return s.ID == id && s.Kind == "totp" })
	if i < 0 {
		return nil, fmt.Errorf("no source %q of kind totp is configured", id)
	}
	var in totp.Config
	if err := readSettings(cfg.Sources[i].Settings, cfg.Production(), nil, &in); err != nil {
		return nil, err
	}
	if in.Master == "" {
		return nil, fmt.Errorf("source %q: %w", id, ErrNoMaster)
	}
	pepper, err := pepper(cfg.Book.Pepper)
	if err != nil {
		return nil, err
	}
	p := &Passes{Algorithm: in.Algorithm, Digits: in.Digits, source: id, pepper: pepper, master: []byte(in.Master.Reveal())}
	if p.Algorithm == "" {
		p.Algorithm = totp.SHA1
	}
	if p.Digits == 0 {
		p.Digits = totp.DefaultDigits
	}
	return p, nil
}

// Pass returns what the book keeps of a pass, and the secret for the wallet.
func (p *Passes) Pass(id string) (code gate.Fingerprint, secret []byte, err error) {
	code, err = totp.Fingerprint(p.pepper, p.source, id)
	if err != nil {
		return code, nil, err
	}
	return code, totp.Derive(p.master, p.Algorithm, id), nil
}
