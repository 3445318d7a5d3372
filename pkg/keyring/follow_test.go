package keyring_test

import (
	"context"
	"crypto"
	"crypto/fips140"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// folderRing writes n keys into a folder with a manifest, the first active.
func folderRing(t *testing.T, n int) (store keyring.FileStore, openers keyring.Openers, dir string) {
	t.Helper()
	dir = t.TempDir()
	m := &keyring.Manifest{}
	ids := []string{first, second, "KTHIRD000001"}
	for _, id := range ids[:n] {
		key, err := keyring.Generate(keyring.ECDSA)
		ok(t, err)
		pair, err := keyring.Write(dir, "", key)
		ok(t, err)
		e, err := keyring.NewEntry("", "file:"+filepath.Base(pair.PrivateFile), key.Public())
		ok(t, err)
		ok(t, m.Add(e, noon))
		ok(t, m.Publish(pair.Name, id, noon))
	}
	ok(t, m.Activate(first, keyring.Rules{}, noon.Add(2*time.Hour), false))
	store = keyring.FileStore(filepath.Join(dir, keyring.ManifestName))
	ok(t, store.Save(t.Context(), m, 0))
	return store, keyring.Openers{"file": keyring.Files{Dir: dir}}, dir
}

func activate(t *testing.T, store keyring.Store, id string) {
	t.Helper()
	ok(t, keyring.Change(t.Context(), store, func(m *keyring.Manifest) error {
		return m.Activate(id, keyring.Rules{}, noon.Add(24*time.Hour), false)
	}))
}

func activeID(t *testing.T, f *keyring.Follower) string {
	t.Helper()
	id, key, err := f.Active()
	if err != nil || key == nil {
		t.Fatalf("Active = %v, %v, want a key", key, err)
	}
	return id
}

// A gateway that runs follows within the interval.
func TestFollowerFollows(t *testing.T) {
	if fips140.Enforced() {
		t.Skip("in FIPS 140 mode random numbers are seeded with a clock that runs")
	}
	store, openers, _ := folderRing(t, 2)
	synctest.Test(t, func(t *testing.T) {
		f, err := keyring.Follow(t.Context(), store, openers, keyring.FollowOptions{Interval: 10 * time.Second})
		ok(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go f.Run(ctx)
		if got := activeID(t, f); got != first || len(f.Keys()) != 2 {
			t.Fatalf("at first %s signs of %d keys, want %s of 2", got, len(f.Keys()), first)
		}
		activate(t, store, second)
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if got := activeID(t, f); got != second {
			t.Errorf("after an interval %s signs, want %s", got, second)
		}
	})
}

// What cannot be read changes nothing.
func TestFollowerKeepsWhatItHas(t *testing.T) {
	tests := []struct {
		name   string
		break_ func(t *testing.T, store keyring.FileStore, dir string)
		want   error
	}{
		{"manifest gone", func(t *testing.T, store keyring.FileStore, _ string) { ok(t, os.Remove(string(store))) }, fs.ErrNotExist},
		{"half a manifest", func(t *testing.T, store keyring.FileStore, _ string) {
			ok(t, os.WriteFile(string(store), []byte(`{"revision": 9, "keys": [`), 0o600))
		}, keyring.ErrManifest},
		{"nobody active", func(t *testing.T, store keyring.FileStore, _ string) {
			ok(t, os.WriteFile(string(store), []byte(`{"revision": 9, "keys": []}`), 0o600))
		}, keyring.ErrNoKey},
		{"the key file is gone", func(t *testing.T, store keyring.FileStore, dir string) {
			activate(t, store, second)
			m, err := store.Load(t.Context())
			ok(t, err)
			ok(t, os.Remove(filepath.Join(dir, strings.TrimPrefix(m.Keys[1].From, "file:"))))
		}, fs.ErrNotExist},
		{"another key in the file", func(t *testing.T, store keyring.FileStore, dir string) {
			activate(t, store, second)
			m, err := store.Load(t.Context())
			ok(t, err)
			text, err := os.ReadFile(filepath.Join(dir, strings.TrimPrefix(m.Keys[0].From, "file:")))
			ok(t, err)
			ok(t, os.WriteFile(filepath.Join(dir, strings.TrimPrefix(m.Keys[1].From, "file:")), text, 0o600))
		}, keyring.ErrKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store, openers, dir := folderRing(t, 2)
			m, err := store.Load(t.Context())
			ok(t, err)
			place := &away{Opener: openers["file"], name: strings.TrimPrefix(m.Keys[0].From, "file:")}
			f, err := keyring.Follow(t.Context(), store, keyring.Openers{"file": place}, keyring.FollowOptions{})
			ok(t, err)
			place.back = true
			tt.break_(t, store, dir)
			if err := f.Reload(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("Reload = %v, want %v", err, tt.want)
			}
			if got := activeID(t, f); got != first {
				t.Errorf("%s signs, want %s as before", got, first)
			}
		})
	}
}

// away is where keys are that cannot be reached, but for one.
type away struct {
	keyring.Opener
	name string // of the one
	back bool   // all can be reached
}

func (a *away) Open(ctx context.Context, ref string) (crypto.Signer, error) {
	if ref != a.name && !a.back {
		return nil, errors.New("no way there")
	}
	return a.Opener.Open(ctx, ref)
}

// Two operators at the same moment: nothing is lost, nothing is mixed.
func TestFileStoreConflict(t *testing.T) {
	store, _, _ := folderRing(t, 1)
	a, err := store.Load(t.Context())
	ok(t, err)
	b, err := store.Load(t.Context())
	ok(t, err)
	before := a.Revision
	a.Begin(noon)
	ok(t, store.Save(t.Context(), a, before))
	b.Begin(noon.Add(time.Hour))
	if err := store.Save(t.Context(), b, before); !errors.Is(err, keyring.ErrConflict) {
		t.Errorf("Save over somebody else's change = %v, want ErrConflict", err)
	}
	if err := store.Save(t.Context(), b, 0); !errors.Is(err, keyring.ErrConflict) {
		t.Errorf("Save of a first manifest over one = %v, want ErrConflict", err)
	}
}

func TestChangesAtOnce(t *testing.T) {
	store, _, _ := folderRing(t, 1)
	before, err := store.Load(t.Context())
	ok(t, err)
	more := entries(t, 4)
	var wg sync.WaitGroup
	for _, e := range more {
		wg.Go(func() {
			if err := keyring.Change(t.Context(), store, func(m *keyring.Manifest) error { return m.Add(e, noon) }); err != nil {
				t.Errorf("Change: %v", err)
			}
		})
	}
	wg.Wait()
	after, err := store.Load(t.Context())
	ok(t, err)
	if len(after.Keys) != 5 || after.Revision != before.Revision+4 {
		t.Errorf("after 4 changes at once: %d keys, revision %d, want 5 and %d", len(after.Keys), after.Revision, before.Revision+4)
	}
}

func TestParseManifestRefuses(t *testing.T) {
	store, _, _ := folderRing(t, 2)
	m, err := store.Load(t.Context())
	ok(t, err)
	good, err := m.Text()
	ok(t, err)
	replace := func(old, new string) string {
		text := strings.Replace(string(good), old, new, 1)
		if text == string(good) {
			t.Fatalf("%q is not in the manifest", old)
		}
		return text
	}
	for name, text := range map[string]string{
		"nothing":           "",
		"unknown member":    replace(`"revision"`, `"colour": 1, "revision"`),
		"something behind":  string(good) + "{}",
		"unknown state":     replace(`"upcoming"`, `"sleeping"`),
		"two active":        replace(`"upcoming"`, `"active"`),
		"another key":       replace(m.Keys[0].Fingerprint, m.Keys[1].Fingerprint),
		"short fingerprint": replace(m.Keys[0].Fingerprint, "abc"),
		"bad id":            replace(first, "lower-case"),
		"id twice":          replace(second, first),
		"no id":             replace(`"id": "`+first+`",`, ""),
	} {
		if _, err := keyring.ParseManifest([]byte(text)); !errors.Is(err, keyring.ErrManifest) {
			t.Errorf("ParseManifest of one with %s = %v, want ErrManifest", name, err)
		}
	}
	if _, err := keyring.ParseManifest(good); err != nil {
		t.Errorf("ParseManifest of a good one = %v", err)
	}
}

func TestEnv(t *testing.T) {
	_, _, dir := folderRing(t, 1)
	files, err := filepath.Glob(filepath.Join(dir, "unpublished-*[0-9a-f].pem"))
	ok(t, err)
	text, err := os.ReadFile(files[0])
	ok(t, err)
	values := map[string]string{"GOOD": string(text), "EMPTY": "", "BAD": "-----BEGIN CANARY-----"}
	openers := keyring.Openers{"env": keyring.Env{Lookup: func(name string) (string, bool) { v, ok := values[name]; return v, ok }}}
	if _, err := openers.Open(t.Context(), "env:GOOD"); err != nil {
		t.Errorf("Open(env:GOOD) = %v", err)
	}
	for from, want := range map[string]error{"env:EMPTY": keyring.ErrNoKey, "env:MISSING": keyring.ErrNoKey, "env:BAD": keyring.ErrKey,
		"floppy:x": keyring.ErrKey, "GOOD": keyring.ErrKey, "": keyring.ErrKey} {
		_, err := openers.Open(t.Context(), from)
		if !errors.Is(err, want) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("Open(%q) = %v, want %v and nothing of the key", from, err, want)
		}
	}
}
