package rotation_test

import (
	"context"
	"crypto/fips140"
	"net/http"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// A desk sells the castle's audio guide, with the code "premium" the tower too.
type desk struct{}

func (desk) Verify(_ context.Context, c gate.Credential) (*gate.Ticket, error) {
	buys := []gate.Product{{Attraction: "castle", Package: "audio"}}
	if len(c.Code) > len(premium) && c.Code[:len(premium)] == premium {
		buys = append(buys, gate.Product{Attraction: "castle", Package: "premium"})
	}
	return &gate.Ticket{Source: "desk", Kind: "code", Normal: c.Code, Buys: buys}, nil
}

// premium is how the codes of dear tickets begin.
const premium = "PREMIUM"

// A gateway is the API with keys that it follows.
type gateway struct {
	*keyring.Follower
	api http.Handler
}

// hash is what RSA keys in files sign with: CloudFront's default, where it is
// allowed.
func hash() cloudfront.Hash {
	if fips140.Enforced() {
		return cloudfront.SHA256
	}
	return ""
}

// newGateway starts a gateway that follows the world's manifest until ctx ends.
func (w *world) newGateway(ctx context.Context, t *testing.T) *gateway {
	t.Helper()
	follower, err := keyring.Follow(ctx, w.store, w.openers, keyring.FollowOptions{Interval: w.follow, Timeout: w.timeout})
	if err != nil {
		t.Fatalf("Follow: %v", err)
	}
	go follower.Run(ctx)
	at, err := cloudfront.ParseSite(site)
	if err != nil {
		t.Fatal(err)
	}
	stamper, err := cloudfront.NewStamper(at, follower, cloudfront.StamperOptions{Hash: hash()})
	if err != nil {
		t.Fatalf("NewStamper: %v", err)
	}
	castle := &gate.Attraction{ID: "castle", Prefix: "castle", Packages: []gate.Package{{ID: "audio"}, {ID: "premium"}}, Sources: []string{"desk"}}
	keeper := gate.NewKeeper(desk{}, &gate.Rules{Attractions: []*gate.Attraction{castle}}, w.book, stamper,
		gate.Options{Lifetime: w.lifetime, Window: w.window, Pepper: []byte("the same at every gateway")})
	if got, most := keeper.Exposure(), w.rules.Longest; got > most {
		t.Fatalf("cookies live for %v, the rules say %v at most", got, most)
	}
	api, err := httpapi.New(keeper, nil, httpapi.Options{PublicOrigin: site})
	if err != nil {
		t.Fatal(err)
	}
	return &gateway{Follower: follower, api: api}
}
