package app

import (
	"context"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

// aside lets others go on while a visitor waits for a ticketing system. What
// answers by itself is returned as it is.
func aside(id string, v gate.Verifier) gate.Verifier {
	if asked, ok := v.(*calm.Source); ok {
		return asideSource{id, asked}
	}
	return v
}

// An asideSource is a ticketing system that keeps no place of the visitors' line
// taken.
type asideSource struct {
	id string
	*calm.Source
}

func (s asideSource) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	back, err := httpapi.Aside(ctx, s.id)
	if err != nil {
		return nil, err
	}
	defer back()
	return s.Source.Verify(ctx, c)
}

func (s asideSource) Recheck(ctx context.Context, source, ref string) (*gate.Ticket, error) {
	back, err := httpapi.Aside(ctx, s.id)
	if err != nil {
		return nil, err
	}
	defer back()
	return s.Source.Recheck(ctx, source, ref)
}
