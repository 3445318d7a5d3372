package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/handstamp/handstamp/pkg/edge"
)

// An edgeReady is the line that --json prints.
type edgeReady struct {
	URL         string         `json:"url"`
	Site        string         `json:"site,omitempty"`
	Behaviors   []edgeBehavior `json:"behaviors"`
	Differences []string       `json:"differences"`
	Explain     string         `json:"explain,omitempty"` // the page
	Chaos       string         `json:"chaos,omitempty"`
	Certificate string         `json:"certificate,omitempty"` // PEM
	Fingerprint string         `json:"certificate_sha256,omitempty"`
}

// An edgeBehavior is a row of the table of behaviors.
type edgeBehavior struct {
	Path           string   `json:"path"`
	Origin         string   `json:"origin"`
	KeyGroup       string   `json:"key_group"` // empty is public
	Methods        []string `json:"methods"`
	ViewerProtocol string   `json:"viewer_protocol"`
}

// ready says where the edge is and what it does.
func (b *edgeBuilder) ready(address *net.TCPAddr) *edgeReady {
	r := &edgeReady{URL: "http://" + address.String(), Site: b.d.Site, Differences: edge.Differences(), Chaos: b.chaosText()}
	if address.IP.IsUnspecified() {
		r.URL = fmt.Sprintf("http://127.0.0.1:%d", address.Port)
	}
	if b.d.TLS.Enabled {
		r.URL = strings.Replace(r.URL, "http://", "https://", 1)
	}
	if b.d.Explain {
		r.Explain = r.URL + "/explain"
	}
	for _, c := range b.d.Behaviors {
		methods := c.Methods
		if len(methods) == 0 {
			methods = edge.AllMethods()[:2]
		}
		r.Behaviors = append(r.Behaviors, edgeBehavior{c.Path, c.Origin, c.KeyGroup, methods, c.ViewerProtocol})
	}
	return r
}

// announce prints what the edge does not do, then what it does, then where.
func (f *edgeFlags) announce(w io.Writer, r *edgeReady) error {
	if f.json {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(r)
	}
	fmt.Fprint(w, "\n  This is a local CloudFront. Where it differs from the real one:\n\n")
	for _, d := range r.Differences {
		fmt.Fprintln(w, wrapped("  - ", d))
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "  path\topen to\tmethods\tplain http\torigin")
	for _, b := range r.Behaviors {
		viewers := "everybody"
		if b.KeyGroup != "" {
			viewers = "signed by " + b.KeyGroup
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", b.Path, viewers, strings.Join(b.Methods, " "), b.ViewerProtocol, b.Origin)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n  The edge is at  %s\n", r.URL)
	if r.Site != "" {
		fmt.Fprintf(w, "  Policies are for  %s\n", r.Site)
	}
	if r.Fingerprint != "" {
		fmt.Fprintf(w, "  Its certificate has the SHA-256 fingerprint\n    %s\n", r.Fingerprint)
	}
	if r.Explain != "" {
		fmt.Fprintf(w, "  Why it refuses something is at  %s\n", r.Explain)
	}
	if r.Chaos != "" {
		fmt.Fprintf(w, "  Chaos is on: %s\n", r.Chaos)
	}
	fmt.Fprint(w, "  Stop with Ctrl-C.\n")
	return nil
}

// wrapped breaks text into lines of a terminal's width, the first after prefix.
func wrapped(prefix, text string) string {
	const width = 78
	var b strings.Builder
	b.WriteString(prefix)
	indent, column := strings.Repeat(" ", len(prefix)), len(prefix)
	for i, word := range strings.Fields(text) {
		if i > 0 && column+1+len(word) > width {
			b.WriteString("\n" + indent)
			column = len(indent)
		} else if i > 0 {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// certificate returns the configured one, or makes one for the names by which
// viewers may come.
func (b *edgeBuilder) certificate(r *edgeReady) (tls.Certificate, error) {
	if b.d.TLS.Cert != "" {
		return tls.LoadX509KeyPair(b.d.TLS.Cert, b.d.TLS.Key)
	}
	certificate, err := edge.SelfSigned(time.Now(), certificateHosts(r)...)
	if err != nil {
		return certificate, err
	}
	r.Certificate, r.Fingerprint = string(edge.CertificatePEM(certificate)), edge.Fingerprint(certificate)
	return certificate, nil
}

func certificateHosts(r *edgeReady) []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	for _, address := range []string{r.URL, r.Site} {
		_, host, _ := strings.Cut(address, "://")
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if host = strings.Trim(host, "[]"); host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}
