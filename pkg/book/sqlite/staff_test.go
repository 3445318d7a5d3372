package sqlite_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestAdmissionsAndDevices(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	a := enter(t, b, entry("1"))
	enter(t, b, entry("2"))
	e := entry("3")
	e.Ticket, e.Entitlements[0].Attraction = fingerprint("B"), "zoo"
	zoo := enter(t, b, e)
	if err := b.Leave(t.Context(), session("2"), noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		query book.AdmissionQuery
		want  []string
	}{
		{book.AdmissionQuery{}, []string{zoo.ID, a.ID}}, {book.AdmissionQuery{Limit: 1}, []string{zoo.ID}},
		{book.AdmissionQuery{Ticket: fingerprint("A")}, []string{a.ID}}, {book.AdmissionQuery{Attraction: "zoo"}, []string{zoo.ID}},
		{book.AdmissionQuery{Attraction: "zoo", Ticket: fingerprint("A")}, nil},
	} {
		page, _, err := b.Admissions(t.Context(), tt.query)
		var got []string
		for _, a := range page {
			got = append(got, a.ID)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("Admissions(%+v) = %q, %v, want %q", tt.query, got, err, tt.want)
		}
	}
	if got, err := b.Admission(t.Context(), a.ID); err != nil || got.Taken != 1 || got.Device != "" {
		t.Errorf("Admission = %+v, %v, want one seat taken", got, err)
	}
	devices, err := b.Devices(t.Context(), a.ID)
	if err != nil || len(devices) != 2 || devices[0].ID != a.Device || devices[0].State != "seated" || devices[1].State != "left" ||
		!devices[1].Ended.Equal(noon.Add(time.Minute)) || !devices[0].FirstSeen.Equal(noon) || !devices[0].Ended.IsZero() {
		t.Errorf("Devices = %+v, %v", devices, err)
	}
	if _, err := b.Devices(t.Context(), "nobody's"); !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("Devices = %v, want ErrNoTarget", err)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	n := heavy(4_000)
	together(50, func(i int) {
		for j := range n / 50 {
			device := fmt.Sprint(i, " ", j)
			e := entry(device)
			e.Ticket, e.Request = fingerprint(device), gate.Idempotency{Key: session("key " + device)}
			enter(t, b, e)
		}
	})
	renew(t, b, renewal("0 0", "0 0 again", noon))
	count := func(table string) (rows int) {
		t.Helper()
		if err := b.Reader().QueryRow("SELECT count(*) FROM " + table).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	for _, step := range []struct {
		after                                               time.Duration
		gone, devices, spent, requests, admissions, tickets int
	}{
		{24 * time.Hour, 0, n, 1, n, n, n},
		{25*time.Hour + time.Second, 0, 0, 0, 0, n, n},
		{(30*24+1)*time.Hour + time.Second, n, 0, 0, 0, 0, n},
		{(30*24+2)*time.Hour + time.Second, 0, 0, 0, 0, 0, n},
	} {
		gone, err := b.Prune(t.Context(), noon.Add(step.after))
		got := fmt.Sprint(gone, count("devices"), count("spent"), count("requests"), count("admissions"), count("tickets"))
		if want := fmt.Sprint(step.gone, step.devices, step.spent, step.requests, step.admissions, step.tickets); got != want || err != nil {
			t.Errorf("Prune after %s: %s, %v, want %s", step.after, got, err, want)
		}
	}
	if count("places") != 0 {
		t.Error("places are left")
	}
}
