package sqlite_test

import (
	"encoding/binary"
	"fmt"
	"iter"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

// serial is an entry of one device with a ticket of its own.
func serial(n int64) gate.Entry {
	e := entry("bench")
	binary.BigEndian.PutUint64(e.Ticket[:], uint64(n)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(e.Session[:], uint64(n)*0x9e3779b97f4a7c15)
	return e
}

func BenchmarkEnterSerial(b *testing.B) {
	book := open(b, filepath.Join(b.TempDir(), "book.db"))
	var n int64
	for b.Loop() {
		n++
		if _, err := book.Enter(b.Context(), serial(n)); err != nil {
			b.Fatal(err)
		}
	}
	commits(b, book)
}

// BenchmarkEnterParallel is a crowd: 64 requests under way at any time.
func BenchmarkEnterParallel(b *testing.B) {
	book := open(b, filepath.Join(b.TempDir(), "book.db"))
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := book.Enter(b.Context(), serial(n.Add(1))); err != nil {
				b.Error(err)
				return
			}
		}
	})
	commits(b, book)
}

func commits(b *testing.B, book *sqlite.Book) {
	s := book.Stats()
	b.ReportMetric(float64(s.Commits)/float64(s.Writes), "syncs/op")
}

func BenchmarkFind(b *testing.B) {
	book := open(b, filepath.Join(b.TempDir(), "book.db"))
	for i := range int64(1000) {
		if _, err := book.Enter(b.Context(), serial(i)); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := int64(0); pb.Next(); i++ {
			if _, err := book.Find(b.Context(), serial(i%1000).Session, noon); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkRenewParallel renews the sessions of 64 devices, each after the other.
func BenchmarkRenewParallel(b *testing.B) {
	book := open(b, filepath.Join(b.TempDir(), "book.db"))
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		e := serial(n.Add(1))
		if _, err := book.Enter(b.Context(), e); err != nil {
			b.Error(err)
			return
		}
		r := gate.Renewal{Next: e.Session, At: noon}
		for pb.Next() {
			r.Session = r.Next
			binary.BigEndian.PutUint64(r.Next[8:], uint64(n.Add(1)))
			if _, err := book.Renew(b.Context(), r); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkImport imports a list of tickets that are all new.
func BenchmarkImport(b *testing.B) {
	for b.Loop() {
		engine := open(b, filepath.Join(b.TempDir(), "book.db"))
		added, _, err := engine.Import(b.Context(), "list", records(b.N, 100_000), book.AuditEvent{})
		if err != nil || added != 100_000 {
			b.Fatalf("Import = %d, %v", added, err)
		}
	}
	b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds(), "tickets/s")
}

// records yields n records of a list.
func records(list, n int) iter.Seq[book.Record] {
	return func(yield func(book.Record) bool) {
		for i := range n {
			r := book.Record{Code: fingerprint(fmt.Sprint(list, i)), Products: []gate.Product{{Attraction: "castle"}},
				Seats: 4, Batch: fmt.Sprint("list ", list), ValidUntil: noon.Add(24 * time.Hour)}
			if !yield(r) {
				return
			}
		}
	}
}
