package main

import (
	"bytes"
	"io"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/explain"
)

// maxRecording is how many bytes of a recording are read.
const maxRecording = 512 << 20

type explainFlags struct {
	url, at, ip, method, page, setBy string
	cookies, setCookies, keys        []string
	curl, har                        string
	stdin, json                      bool
}

func newExplain() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Say why CloudFront refuses a request, and what to change",
		Long: `Judge requests as CloudFront does, and name the causes of a refusal with their
fixes, the surest first. A request comes from flags, from a transcript of
"curl -v", from a HAR file that a browser's developer tools saved, or by --stdin
from anything of the kind. Every rule says whether AWS documents it, somebody
has observed it, or it is assumed. docs/errors.md lists the causes.

Nothing leaves this machine. The policy is shown, signatures never are.

The exit status is 0 if CloudFront would allow every request, 1 if not, 2 for a
mistake in the command line.`,
		Example: `  handstamp explain --url https://media.example.org/castle/audio/01.m4a \
    --cookie 'CloudFront-Policy=...; CloudFront-Signature=...; CloudFront-Key-Pair-Id=K2JCJMDEHXQW5F' \
    --public-key K2JCJMDEHXQW5F=public.pem
  handstamp explain --url https://media.example.org/castle/audio/01.m4a --page https://app.example.org/ \
    --set-by https://api.example.org/v1/tickets/verify --set-cookie 'CloudFront-Policy=...; Path=/castle/; Secure'
  curl -v --cookie jar https://media.example.org/castle/audio/01.m4a 2>&1 | handstamp explain --curl - --public-key K2JCJMDEHXQW5F=public.pem
  handstamp explain --har visit.har --url https://media.example.org/ --public-key K2JCJMDEHXQW5F=public.pem --json
  pbpaste | handstamp explain --stdin --public-key K2JCJMDEHXQW5F=public.pem`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.add(cmd)
	return cmd
}

func (f *explainFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "", "the URL as asked for, with its query; of a recording, only requests whose URL begins so")
	flags.StringArrayVar(&f.cookies, "cookie", nil, "the Cookie header as sent, 'a=b; c=d' (may be repeated)")
	flags.StringArrayVar(&f.setCookies, "set-cookie", nil, "a Set-Cookie header; without --cookie, what a browser would send is worked out (may be repeated)")
	flags.StringVar(&f.setBy, "set-by", "", "the URL whose answer set them (default: --url)")
	flags.StringVar(&f.page, "page", "", "the URL of the page that asks")
	flags.StringArrayVar(&f.keys, "public-key", nil, "a key that the cache behavior trusts, ID=FILE (may be repeated)")
	flags.StringVar(&f.at, "at", "", "time of the request, RFC 3339 or Unix seconds (default: of the recording, or now)")
	flags.StringVar(&f.ip, "ip", "", "the viewer's address")
	flags.StringVar(&f.method, "method", "", "the request's method (default GET)")
	flags.StringVar(&f.curl, "curl", "", `the output of "curl -v", a file or - for standard input`)
	flags.StringVar(&f.har, "har", "", "an HTTP archive (HAR), a file or - for standard input")
	flags.BoolVar(&f.stdin, "stdin", false, "read an archive, a transcript, a curl command, or a URL with headers below it from standard input")
	flags.BoolVar(&f.json, "json", false, "print JSON")
}

func (f *explainFlags) run(cmd *cobra.Command) error {
	inputs, err := f.inputs(cmd.InOrStdin())
	if err != nil {
		return err
	}
	reports := make([]*explain.Report, len(inputs))
	refused := false
	for i, in := range inputs {
		reports[i] = explain.Explain(in)
		refused = refused || !reports[i].Allowed
	}
	if err := f.print(cmd.OutOrStdout(), reports); err != nil {
		return err
	}
	if refused {
		return &exitError{exitFailed}
	}
	return nil
}

// print writes one report as it is, and several as a list.
func (f *explainFlags) print(w io.Writer, reports []*explain.Report) error {
	switch {
	case f.json && len(reports) == 1:
		return writeIndented(w, reports[0])
	case f.json:
		return writeIndented(w, map[string]any{"reports": reports})
	case len(reports) == 1:
		reports[0].Write(w, isTerminal(w))
	default:
		explain.WriteAll(w, reports, isTerminal(w))
	}
	return nil
}

// inputs are the requests that the flags ask about, one or a recording's.
func (f *explainFlags) inputs(stdin io.Reader) ([]explain.Input, error) {
	keys, err := parsePublicKeys(f.keys)
	if err != nil {
		return nil, err
	}
	found, err := f.find(stdin)
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i].Keys = keys
		if err := f.complete(&found[i]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// find reads the one source that the flags name.
func (f *explainFlags) find(stdin io.Reader) ([]explain.Input, error) {
	sources := slices.DeleteFunc([]string{f.curl, f.har, map[bool]string{true: "-"}[f.stdin]}, func(s string) bool { return s == "" })
	switch {
	case len(sources) > 1:
		return nil, usagef("want one of --curl, --har and --stdin")
	case len(sources) == 0 && f.url == "":
		return nil, usagef("--url is missing: the address that was asked for (or --curl, --har, --stdin)")
	case len(sources) == 0:
		return f.fromFlags()
	case len(f.cookies) > 0 || len(f.setCookies) > 0 || f.setBy != "":
		return nil, usagef("--cookie, --set-cookie and --set-by go with --url, not with a recording")
	}
	text, err := readRecording(sources[0], stdin)
	if err != nil {
		return nil, err
	}
	read, name := explain.Read, "--stdin"
	switch {
	case f.curl != "":
		read, name = explain.ReadCurl, "--curl "+f.curl
	case f.har != "":
		read, name = explain.ReadHAR, "--har "+f.har
	}
	found, err := read(text)
	if err != nil && f.stdin && f.url != "" {
		found, err = read(append([]byte(f.url+"\n"), text...)) // headers alone
	}
	if err != nil {
		return nil, usagef("%s: %v", name, err)
	}
	return f.filter(found)
}

func readRecording(file string, stdin io.Reader) ([]byte, error) {
	r := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usagef("%v", err)
		}
		defer f.Close()
		r = f
	}
	text, err := io.ReadAll(io.LimitReader(r, maxRecording+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxRecording {
		return nil, usagef("the recording is larger than %d MiB", maxRecording>>20)
	}
	return bytes.TrimSpace(text), nil
}

// filter leaves the requests that are asked about: those that were refused, and
// of them those whose URL begins as --url says.
func (f *explainFlags) filter(found []explain.Input) ([]explain.Input, error) {
	matching := slices.DeleteFunc(slices.Clone(found), func(in explain.Input) bool { return !strings.HasPrefix(in.URL, f.url) })
	if len(matching) == 0 {
		return nil, usagef("--url %q: none of the %d requests begins so, the first is for %.100q", f.url, len(found), withoutQuery(found[0].URL))
	}
	return explain.Refused(matching), nil
}

// withoutQuery keeps what may be a signature out of messages.
func withoutQuery(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}

func (f *explainFlags) fromFlags() ([]explain.Input, error) {
	for _, a := range []struct{ flag, value string }{{"--url", f.url}, {"--set-by", f.setBy}, {"--page", f.page}} {
		if u, err := url.Parse(a.value); a.value != "" && (err != nil || u.Scheme == "" || u.Host == "") {
			return nil, usagef("%s %q, want a whole URL like https://media.example.org/castle/01.m4a", a.flag, withoutQuery(a.value))
		}
	}
	in := explain.Input{URL: f.url}
	for _, c := range f.cookies {
		in.Cookies = append(in.Cookies, withoutName(c, "Cookie"))
	}
	switch {
	case len(f.setCookies) > 0:
		answer := explain.Answer{URL: f.setBy}
		for _, c := range f.setCookies {
			answer.SetCookie = append(answer.SetCookie, withoutName(c, "Set-Cookie"))
		}
		in.Earlier = []explain.Answer{answer}
	case f.setBy != "":
		return nil, usagef("--set-by goes with --set-cookie")
	}
	return []explain.Input{in}, nil
}

// withoutName takes the name off a header that was copied whole.
func withoutName(header, name string) string {
	if found, value, ok := strings.Cut(header, ":"); ok && strings.EqualFold(strings.TrimSpace(found), name) {
		return strings.TrimSpace(value)
	}
	return header
}

// complete adds what the flags say about every request.
func (f *explainFlags) complete(in *explain.Input) (err error) {
	if f.at != "" {
		if in.At, err = explain.ParseInstant(f.at); err != nil {
			return usagef("--at %v", err)
		}
	}
	if f.ip != "" {
		if in.IP, err = netip.ParseAddr(f.ip); err != nil {
			return usagef("--ip %q is not an IP address", f.ip)
		}
	}
	if f.page != "" {
		in.Page = f.page
	}
	if f.method != "" {
		in.Method = f.method
	}
	return nil
}

// parsePublicKeys reads flags of the form ID=FILE.
func parsePublicKeys(flags []string) ([]*cloudfront.PublicKey, error) {
	var keys []*cloudfront.PublicKey
	for _, flag := range flags {
		id, file, ok := strings.Cut(flag, "=")
		if !ok {
			return nil, usagef("--public-key %q, want ID=FILE", flag)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, usagef("--public-key %s: %v", id, err)
		}
		key, err := cloudfront.ParsePublicKey(id, text)
		if err != nil {
			return nil, usagef("--public-key %s: %s: %v", id, file, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
