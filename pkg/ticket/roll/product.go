package roll

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// products lists what a row buys. A package that fits none of the row's
// attractions is an error, and so is one without a name: left out, it would be
// taken for all of them.
func (p *parser) products(r row) ([]gate.Product, error) {
	if err := checkPackages(r); err != nil {
		return nil, err
	}
	var products []gate.Product
	for _, attraction := range r.Attractions {
		before := len(products)
		for _, name := range r.Packages {
			if where, pkg := packageOf(name); where == "" || where == attraction {
				products = append(products, gate.Product{Attraction: attraction, Package: pkg})
			}
		}
		if len(products) > before {
			continue
		}
		if len(r.Packages) > 0 {
			return nil, fmt.Errorf("packages: none is for %q", attraction)
		}
		products = append(products, gate.Product{Attraction: attraction})
	}
	return products, p.configured(products)
}

func checkPackages(r row) error {
	for _, name := range r.Packages {
		switch where, pkg := packageOf(name); {
		case pkg == "":
			return fmt.Errorf("packages: %.40q names no package", name)
		case where != "" && !slices.Contains(r.Attractions, where):
			return fmt.Errorf("packages: %.40q is not for an attraction of this ticket", name)
		}
	}
	return nil
}

// packageOf cuts "castle/audio"; of "audio" the attraction is empty.
func packageOf(name string) (attraction, pkg string) {
	attraction, pkg, ok := strings.Cut(name, "/")
	if !ok {
		return "", name
	}
	return attraction, pkg
}

func (p *parser) configured(products []gate.Product) error {
	if p.opts.Check == nil {
		return nil
	}
	for _, product := range products {
		if err := p.opts.Check(product); err != nil {
			return err
		}
	}
	return nil
}
