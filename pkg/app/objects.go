package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/objects"
	"github.com/handstamp/handstamp/pkg/objects/bucket"
)

// buildObjects opens the bucket of private files, if there is one.
func (a *App) buildObjects(ctx context.Context) error {
	o := a.cfg.Objects
	if o.Bucket == "" {
		return nil
	}
	index, ok := a.book.(book.Files)
	if !ok {
		return errors.New("objects: this book keeps no index of files")
	}
	store, err := bucket.Open(ctx, bucket.Config{
		Name: o.Bucket, Region: o.Region, Endpoint: o.Endpoint, PathStyle: bool(o.PathStyle),
		Options: bucket.Options{Log: a.opts.Log, Private: true},
	})
	if err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	a.objects, err = objects.New(store.Client(), o.Bucket, index, objectRules(o.Rules), objects.Options{
		Lifetime: o.Lifetime, Window: o.Window, ACLs: bool(o.ACLs), Identify: a.ticketName, Stream: store, Log: a.opts.Log, Now: a.opts.Now,
	})
	if err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	if a.tokens, err = objectTokens(o.Tokens); err != nil {
		return fmt.Errorf("objects.tokens: %w", err)
	}
	a.tasks = append(a.tasks, a.sweep)
	return nil
}

func objectRules(rules []config.ObjectRule) []objects.Rule {
	var all []objects.Rule
	for _, r := range rules {
		all = append(all, objects.Rule{Area: r.Area, Keys: r.Keys, Read: r.Read, Write: r.Write,
			Types: r.Types, MaxSize: int64(r.MaxSize), Public: bool(r.Public)})
	}
	return all
}

func objectTokens(tokens []config.ObjectToken) (*objects.Tokens, error) {
	var all []objects.Token
	for _, t := range tokens {
		text, err := t.Token.Resolve()
		if err != nil {
			return nil, fmt.Errorf("%q: %w", t.ID, err)
		}
		all = append(all, objects.Token{ID: t.ID, Secret: gate.Secret(text), Roles: t.Roles})
	}
	return objects.NewTokens(all)
}

// ticketName is what a ticket is called in keys of objects.
func (a *App) ticketName(f gate.Fingerprint) string { return ticketName(a.pepper, f) }

// fileOwner is as whom a ticket owns private files.
func fileOwner(pepper []byte, f gate.Fingerprint) string { return "ticket:" + ticketName(pepper, f) }

// ticketName returns an opaque name that stays the same for as long as the pepper
// does.
func ticketName(pepper []byte, f gate.Fingerprint) string {
	mac := hmac.New(sha256.New, derived(pepper, "names of tickets"))
	mac.Write(f[:])
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:16]))
}

// sweepEvery is how often uploads that were given up are deleted.
const sweepEvery = 10 * time.Minute

// sweep deletes uploads that nobody confirmed, now and then.
func (a *App) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		switch n, err := a.objects.Sweep(ctx); {
		case err != nil && ctx.Err() == nil:
			a.opts.Log.Error("uploads that were given up are not deleted", "err", err)
		case n > 0:
			a.opts.Log.Info("uploads that were given up are deleted", "files", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
