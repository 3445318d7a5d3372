package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// Causes of an Error.
var (
	ErrAddress   = errors.New("the address may not be asked")
	ErrName      = errors.New("the name does not resolve")
	ErrConnect   = errors.New("no connection")
	ErrTLS       = errors.New("the server's TLS cannot be trusted")
	ErrTimeout   = errors.New("no whole answer in time")
	ErrRedirect  = errors.New("answered with a redirect")
	ErrTooLarge  = errors.New("the answer is too large")
	ErrTruncated = errors.New("the answer ends too early")
	ErrEncoding  = errors.New("the answer is packed in a way that is not read")
	ErrProtocol  = errors.New("the answer is not HTTP that can be read")
	ErrRequest   = errors.New("the request cannot be sent")
)

// An Error says why there is no answer. It is one of the causes above for
// errors.Is, or the error of the request's context. Its text is safe to log: it
// has neither the URL nor a word of what the server sent.
type Error struct {
	Method string
	Host   string // with the port if the URL has one
	Cause  error  // never nil
}

func (e *Error) Error() string { return fmt.Sprintf("%s %s: %v", e.Method, e.Host, e.Cause) }

// Summary returns what Error does: nothing in it is from outside.
func (e *Error) Summary() string { return e.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Timeout reports whether time ran out.
func (e *Error) Timeout() bool {
	return errors.Is(e.Cause, ErrTimeout) || errors.Is(e.Cause, context.DeadlineExceeded)
}

func newError(req *http.Request, cause error) *Error {
	return &Error{Method: req.Method, Host: req.URL.Host, Cause: cause}
}

// classify returns the cause behind err, which may quote what the server sent.
// asked is the context of the caller, without the time limit of the client.
func classify(asked context.Context, err error) error {
	if gone := asked.Err(); gone != nil {
		return gone
	}
	var (
		timeout net.Error
		name    *net.DNSError
		dial    *net.OpError
	)
	for _, known := range []error{ErrAddress, ErrTLS, ErrTooLarge, ErrEncoding, ErrTruncated} {
		switch {
		case !errors.Is(err, known):
		case errors.As(err, &dial):
			return dial.Err
		default:
			return err
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	case isTLS(err):
		return fmt.Errorf("%w: %s", ErrTLS, tlsText(err))
	case errors.As(err, &name):
		return ErrName
	case errors.As(err, &dial) && dial.Op == "dial":
		return fmt.Errorf("%w: %w", ErrConnect, dial.Err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return ErrTruncated
	}
	return ErrProtocol
}

func isTLS(err error) bool {
	var (
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  tls.AlertError
		remote *net.OpError
	)
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &remote) && (remote.Op == "remote error" || remote.Op == "local error")
}

// tlsText says what is wrong with a certificate without quoting it.
func tlsText(err error) string {
	var (
		invalid   x509.CertificateInvalidError
		host      x509.HostnameError
		authority x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not yet valid"
	case errors.As(err, &host):
		return "the certificate is for another name"
	case errors.As(err, &authority):
		return "the certificate is by an authority that is not known"
	}
	return "the handshake failed"
}

// A StatusError is an answer that says nothing of what was asked: too many
// requests, a server error, an unexpected status.
type StatusError struct {
	Host   string
	Status int
	After  time.Duration // the server wants to be left alone for so long; 0 means that it does not say
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered with status %d, which is no verdict", e.Host, e.Status)
}

// Summary returns what Error does: nothing in it is from outside.
func (e *StatusError) Summary() string { return e.Error() }

// RetryAfter returns e.After.
func (e *StatusError) RetryAfter() time.Duration { return e.After }
