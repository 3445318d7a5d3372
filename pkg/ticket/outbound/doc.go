// Package outbound asks other people's servers over HTTP, as ticket sources do,
// and expects the worst of them.
//
//	client, err := outbound.New(outbound.Options{})
//	answer, err := client.Do(request)
//
// An answer comes whole or not at all: at most Options.MaxBody bytes, unpacked,
// within Options.Timeout for everything from the look-up of the name to the last
// byte. Redirects are not followed. Proxies of the environment are not asked.
// TLS is 1.2 or later, and nothing can turn its checks off. HTTP is 1.1.
//
// Every request has a connection of its own. So none is ever sent twice, which
// net/http does by itself when a connection that it kept turns out to be closed,
// and what a server sends behind its answer is not read, let alone logged.
//
// No connection is made to an address that is not public: loopback, private and
// link-local networks, the metadata services of clouds, and IPv6 addresses that
// stand for one of them. The address itself is checked when it is dialled, so
// that a name cannot lead there either, whatever it resolved to before.
// Options.Allow makes exceptions. Plain http is spoken with those only.
package outbound
