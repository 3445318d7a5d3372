package objects

import (
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A writer is somebody who may upload into an area.
type writer struct {
	prefix string    // of the new key, with a slash at the end
	owner  string    // of the new file
	until  time.Time // zero is without end
}

// writer returns as whom the party may upload into an area, or ErrNotFound. Who
// shows a token with a role of it acts for whom it says; a viewer acts for itself.
func (p *party) writer(a *area, r *UploadRequest) (*writer, error) {
	if p.plays(a.Write) {
		return p.deputy(a, r)
	}
	if !slices.Contains(a.Write, Visitor) && !slices.Contains(a.Write, Owner) {
		return nil, ErrNotFound
	}
	where, err := p.where(a, r)
	if err != nil {
		return nil, err
	}
	for i := range p.visits {
		if w, ok := p.visits[i].writer(a, r.Owner, where); ok {
			return w, nil
		}
	}
	return nil, ErrNotFound
}

// writer returns the visit as a writer, if it is open there and the owner.
func (v *visit) writer(a *area, owner, where string) (*writer, bool) {
	end, open := v.ends(where)
	if owner == "" && len(v.owners) > 0 {
		owner = v.owners[0]
	}
	values := v.places
	values.attraction = where
	prefix, ok := a.shape.prefix(values)
	return &writer{prefix: prefix, owner: owner, until: end}, open && ok && slices.Contains(v.owners, owner)
}

// where returns the attraction of a viewer's upload, empty if the area has none.
func (p *party) where(a *area, r *UploadRequest) (string, error) {
	if !a.shape.has(placeAttraction) || r.Attraction != "" {
		return a.attraction(r), nil
	}
	open := map[string]bool{}
	for i := range p.visits {
		for id := range p.visits[i].open {
			open[id] = true
		}
	}
	switch len(open) {
	case 0:
		return "", ErrNotFound
	case 1:
		for id := range open {
			return id, nil
		}
	}
	return "", &RequestError{Field: "attraction", Detail: "is needed: the visit is open at several"}
}

// attraction returns that of r if keys of the area have one.
func (a *area) attraction(r *UploadRequest) string {
	if a.shape.has(placeAttraction) {
		return r.Attraction
	}
	return ""
}

// deputy returns a token's holder as a writer for an owner.
func (p *party) deputy(a *area, r *UploadRequest) (*writer, error) {
	owner := r.Owner
	if owner == "" {
		owner = ownerToken + p.token
	}
	if !ownerForm.MatchString(owner) {
		return nil, &RequestError{Field: "owner", Detail: `want "ticket:", "admission:", "device:" or "token:" and a name`}
	}
	if a.shape.has(placeAttraction) && gate.CheckSlug(r.Attraction) != nil {
		return nil, &RequestError{Field: "attraction", Detail: "is needed: keys of this area have it"}
	}
	values := placesOf(owner)
	values.attraction = a.attraction(r)
	prefix, ok := a.shape.prefix(values)
	if !ok {
		return nil, &RequestError{Field: "owner", Detail: "has nothing for the placeholders in keys of this area"}
	}
	return &writer{prefix: prefix, owner: owner}, nil
}
