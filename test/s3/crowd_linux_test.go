package s3_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	crowd  = 50       // clients
	film   = 64 << 20 // bytes of the object
	piece  = 22 << 20 // bytes that each client reads, 1,100 MiB together
	pace   = 64 << 10 // bytes that a client reads at a time
	breath = time.Second / 20
	most   = 64 << 10 // KiB that the gateway may take for all of them
)

// A gibibyte through the proxy, to clients that take 1.25 MiB a second each, all
// at the same time, takes the gateway little memory: nothing of an object is kept.
func TestCrowd(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	g := s.newGateway(t, setup{})
	_, err := s.root.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &s.bucket, Key: aws.String("staff/film.mp4"), Body: &counting{size: film}, ContentLength: aws.Int64(film)},
		s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware), func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired })
	if err != nil {
		t.Fatalf("PutObject: %v", err)
	}
	g.call(t, http.StatusOK, g.desk, "HEAD /v1/objects/staff/film.mp4", nil, nil)
	before := g.memory(t, "VmRSS")
	g.forgetPeak(t)

	began := time.Now()
	var viewers sync.WaitGroup
	var read atomic.Int64
	faults := make(chan error, crowd)
	for i := range crowd {
		viewers.Go(func() {
			n, err := g.watch(t, int64(i)<<19&^7) // each from half a MiB later
			read.Add(n)
			faults <- err
		})
	}
	viewers.Wait()
	took := time.Since(began)
	for range crowd {
		if err := <-faults; err != nil {
			t.Error(err)
		}
	}
	peak := g.memory(t, "VmHWM")
	t.Logf("%d MiB to %d clients in %v: %d KiB before, at most %d KiB more", read.Load()>>20, crowd, took.Round(time.Second/10), before, peak-before)
	if peak-before > most {
		t.Errorf("the gateway took %d KiB more, want at most %d", peak-before, most)
	}
	if read.Load() < 1<<30 {
		t.Errorf("%d bytes were read, want a GiB", read.Load())
	}
	if least := piece / pace * breath; took < least {
		t.Errorf("the clients took %v, want at least %v: they are not slow", took, least)
	}
}

// watch reads a piece of the film slowly, and returns how much of it came. The
// client's buffer is small, so that what it has not read is not on this side.
func (g *gateway) watch(t *testing.T, from int64) (total int64, err error) {
	dialer := &net.Dialer{}
	transport := &http.Transport{DisableKeepAlives: true, ReadBufferSize: 4 << 10}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(pace)
		}
		return conn, err
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.address+"/v1/objects/staff/film.mp4", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+g.desk)
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, from+piece-1))
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusPartialContent {
		return 0, fmt.Errorf("the film = %d, want 206", resp.StatusCode)
	}
	buffer := make([]byte, pace)
	for tick := time.Tick(breath); ; <-tick {
		n, err := io.ReadFull(resp.Body, buffer)
		if wrong := misplaced(buffer[:n], from+total); wrong >= 0 {
			return total, fmt.Errorf("byte %d of the film is another", from+total+int64(wrong))
		}
		total += int64(n)
		switch {
		case errors.Is(err, io.EOF) && total == piece:
			return total, nil
		case err != nil:
			return total, fmt.Errorf("after %d bytes: %w", total, err)
		}
	}
}

// misplaced returns where b is not what a counting has at an offset, -1 for nowhere.
func misplaced(b []byte, at int64) int {
	for i := 0; i+8 <= len(b); i += 8 {
		if binary.BigEndian.Uint64(b[i:]) != uint64(at+int64(i))/8 {
			return i
		}
	}
	return -1
}

// memory returns a line of the program's status, in KiB. See proc_pid_status(5).
func (p *program) memory(t *testing.T, name string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), name+":")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		t.Fatalf("%s: %v in %s", name, err, status)
	}
	return n
}

// forgetPeak makes VmHWM begin anew. See proc_pid_clear_refs(5).
func (p *program) forgetPeak(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.pid), []byte("5"), 0o200); err != nil {
		t.Fatal(err)
	}
}
