package pretix

import (
	"slices"

	"github.com/handstamp/handstamp/pkg/gate"
)

// find returns what an item buys.
func find(products []Product, item, variation int64) (Product, bool) {
	any := -1
	for i, p := range products {
		switch {
		case p.Item != item:
		case p.Variation == variation && variation != 0:
			return p, true
		case p.Variation == 0:
			any = i
		}
	}
	if any < 0 {
		return Product{}, false
	}
	return products[any], true
}

// A basket is what one ticket buys with all its add-ons.
type basket struct {
	buys  []gate.Product
	count map[[2]int64]int // of each product
	seats int
}

// add puts one of p in. Three of one add-on are seats for three; different
// products do not add up, as one visitor has them all.
func (b *basket) add(p Product) {
	for _, buy := range p.Buys {
		if !slices.Contains(b.buys, buy) {
			b.buys = append(b.buys, buy)
		}
	}
	if b.count == nil {
		b.count = map[[2]int64]int{}
	}
	key := [2]int64{p.Item, p.Variation}
	b.count[key]++
	b.seats = max(b.seats, p.Seats*b.count[key])
}
