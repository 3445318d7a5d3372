package sqlite

import (
	"encoding/json"

	"github.com/handstamp/handstamp/pkg/gate"
)

// products are a record's products as they are kept: [["castle","audio"]].
type products struct{ list *[]gate.Product }

func (p products) MarshalJSON() ([]byte, error) {
	pairs := make([][2]string, len(*p.list))
	for i, product := range *p.list {
		pairs[i] = [2]string{product.Attraction, product.Package}
	}
	return json.Marshal(pairs)
}

func (p *products) UnmarshalJSON(text []byte) error {
	var pairs [][2]string
	if err := json.Unmarshal(text, &pairs); err != nil {
		return err
	}
	*p.list = make([]gate.Product, len(pairs))
	for i, pair := range pairs {
		(*p.list)[i] = gate.Product{Attraction: pair[0], Package: pair[1]}
	}
	return nil
}
