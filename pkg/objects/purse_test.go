package objects_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/objects"
)

func signedBy(url, id string) bool { return strings.Contains(url, "X-Amz-Credential="+id+"%2F") }

func TestRotationDoesNotChangeALink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.store("press/a.jpg", "image/jpeg", "a")
	s.vault.put(s.role("ONE", noon.Add(time.Hour)), nil)
	first := s.link(objects.Holder{}, "press/a.jpg").URL
	s.expect(200, "GET", first)
	s.vault.put(s.role("TWO", noon.Add(2*time.Hour)), nil)
	s.clock.add(29 * time.Second)
	if second := s.link(objects.Holder{}, "press/a.jpg").URL; second != first {
		t.Errorf("Links after a rotation of the credentials gave another URL in the same window")
	}
	s.clock.add(time.Second)
	if third := s.link(objects.Holder{}, "press/a.jpg").URL; !signedBy(third, "TWO") {
		t.Errorf("Links in the next window are not signed by the new credentials")
	} else {
		s.expect(200, "GET", third)
	}
}

func TestLinkEndsWithTheCredentials(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.store("press/a.jpg", "image/jpeg", "a")
	s.vault.put(s.role("ONE", noon.Add(45*time.Second)), nil)
	l := s.link(objects.Holder{}, "press/a.jpg")
	if want := noon.Add(45 * time.Second); !l.Expires.Equal(want) || !strings.Contains(l.URL, "X-Amz-Expires=45&") {
		t.Errorf("Links: expires %v, want %v, the end of the credentials", l.Expires, want)
	}
	if s.vault.invalidated != 1 {
		t.Errorf("credentials that end soon were renewed %d times, want once", s.vault.invalidated)
	}
	s.clock.add(20 * time.Second) // less than the least life is left
	for range 10 {
		l = s.link(objects.Holder{}, "press/a.jpg")
	}
	if want := noon.Add(45 * time.Second); !l.Expires.Equal(want) || s.vault.invalidated != 2 {
		t.Errorf("Links of dying credentials: expires %v after %d renewals, want %v after 2", l.Expires, s.vault.invalidated, want)
	}
	s.clock.set(noon.Add(46 * time.Second))
	if _, err := s.desk.Links(t.Context(), objects.Holder{}, []string{"press/a.jpg"}); err == nil {
		t.Error("Links by credentials that are over: no error, want one")
	}
}

func TestCredentialsAreRenewedEarly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.vault.put(s.role("ONE", noon.Add(59*time.Second)), nil)
	s.vault.next = []aws.Credentials{s.role("TWO", noon.Add(time.Hour))}
	l := s.link(objects.Holder{}, "press/a.jpg")
	if !signedBy(l.URL, "TWO") || !l.Expires.Equal(noon.Add(time.Minute)) {
		t.Errorf("Links: expires %v, signed by new credentials: %v, want a whole life by new ones", l.Expires, signedBy(l.URL, "TWO"))
	}
}

func TestCredentialsThatFail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	down := errors.New("the role is not to be had")
	s.vault.put(aws.Credentials{}, down)
	if _, err := s.desk.Links(t.Context(), objects.Holder{}, []string{"press/a.jpg"}); !errors.Is(err, down) {
		t.Errorf("Links without credentials = %v, want %v", err, down)
	}
	if links, err := s.desk.Links(t.Context(), objects.Holder{}, []string{"staff/a.jpg"}); err != nil || !errors.Is(links[0].Err, objects.ErrNotFound) {
		t.Errorf("Links of a closed file without credentials = %+v, %v, want ErrNotFound", links, err)
	}
	s.vault.put(s.role("ONE", noon.Add(50*time.Second)), nil)
	s.link(objects.Holder{}, "press/a.jpg")
	s.vault.put(aws.Credentials{}, down)
	s.clock.add(25 * time.Second)
	if l := s.link(objects.Holder{}, "press/a.jpg"); !l.Expires.Equal(noon.Add(50 * time.Second)) {
		t.Errorf("Links while credentials cannot be renewed = %+v, want those that are there", l)
	}
}

// A life longer than that of any role goes on with the role's.
func TestLongLinksOfARole(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *objects.Options) { o.Lifetime = 7 * 24 * time.Hour })
	week := 7 * 24 * time.Hour
	s.clock.set(noon.Truncate(week / 2).Add(time.Hour))
	s.vault.put(s.role("ONE", s.clock.now().Add(time.Hour)), nil)
	first := s.link(objects.Holder{}, "press/a.jpg")
	if !first.Expires.Equal(s.clock.now().Add(time.Hour)) {
		t.Errorf("Links: expires %v, want the end of the role", first.Expires)
	}
	s.clock.add(30 * time.Minute)
	if again := s.link(objects.Holder{}, "press/a.jpg"); again.URL != first.URL {
		t.Error("Links gave another URL while the role lived")
	}
	s.vault.put(s.role("TWO", s.clock.now().Add(time.Hour)), nil)
	s.clock.add(26 * time.Minute)
	if next := s.link(objects.Holder{}, "press/a.jpg"); !signedBy(next.URL, "TWO") {
		t.Error("Links minutes before the end of a role are signed by it, want the next")
	}
}

// A fickle provider has new credentials every time.
type fickle struct{ count atomic.Int64 }

func (f *fickle) Retrieve(context.Context) (aws.Credentials, error) {
	id := fmt.Sprintf("ROLE%d", f.count.Add(1))
	return aws.Credentials{AccessKeyID: id, SecretAccessKey: "x", CanExpire: true, Expires: noon.Add(time.Hour)}, nil
}

func TestACrowdGetsOneLink(t *testing.T) {
	t.Parallel()
	client := s3.New(s3.Options{Region: "eu-central-1", Credentials: &fickle{}})
	desk, err := objects.New(client, "private", memory.New(), rules(), objects.Options{Identify: identify, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	const crowd = 50
	urls := make([]string, crowd)
	var wg sync.WaitGroup
	for i := range crowd {
		wg.Go(func() {
			links, err := desk.Links(t.Context(), objects.Holder{}, []string{"press/a.jpg"})
			if err != nil {
				t.Errorf("Links = %v", err)
				return
			}
			urls[i] = links[0].URL
		})
	}
	wg.Wait()
	if different := slices.Compact(slices.Sorted(slices.Values(urls))); len(different) != 1 {
		t.Errorf("%d viewers at once got %d URLs, want one", crowd, len(different))
	}
}
