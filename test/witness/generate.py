#!/usr/bin/env python3
"""Random requests with the verdict of naive.py, for comparison with the edge.

  generate.py [--count 20000] [--seed 1] [--extra] > cases.jsonl

Each line is a case as naive.py reads it, with two members more: "tag" names
what was done to it and "expect" is the verdict of naive.py. A summary goes to
stderr. The same seed and count give the same lines: the keys, too, are made
from the seed, so they are good for nothing but tests.

A case begins as a `Draft`, a request that CloudFront would allow, of a random
kind: cookies or URL, canned or custom, RSA or ECDSA, either hash, with or
without a start time and an address range. In three of four one mutation is
applied, sometimes a second one. A mutation is free to leave the request valid:
naive.py says what comes out.

--extra adds cases on which the written rules leave room, to see where two
implementations part: dot segments and the like in paths, broken escapes, ports
other than the default, trailing dots, keys of other types, raw non-ASCII.
"""

import argparse
import collections
import functools
import json
import random
import re
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import naive
from naive import to_cloudfront_base64 as b64

NOW = 1_795_000_000

# --- Keys made from the seed --------------------------------------------------

SMALL_PRIMES = [p for p in range(3, 2000, 2) if all(p % q for q in range(3, p, 2))]


def random_prime(rng, bits):
    """A probable prime with its two top bits set."""
    while True:
        n = rng.getrandbits(bits) | 3 << (bits - 2) | 1
        if all(n % p for p in SMALL_PRIMES) and all(pow(a, n - 1, n) == 1 for a in (2, 3, 5, 7)):
            return n


def rsa_key(rng, bits):
    e = 65537
    while True:
        p, q = random_prime(rng, bits // 2), random_prime(rng, bits // 2)
        if p != q and (p - 1) % e and (q - 1) % e:
            break
    d = pow(e, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q)
    ).private_key()


class Keys:
    """The key pairs of one run: private keys and PEM texts by key pair ID."""

    def __init__(self, rng, extra):
        p256 = 2**255
        self.private = {
            "K2RSAONEEXAMPLE": rsa_key(rng, 2048),
            "K2RSATWOEXAMPLE": rsa_key(rng, 2048),
            "K3ECONEEXAMPLE": ec.derive_private_key(rng.randrange(1, p256), ec.SECP256R1()),
            "K3ECTWOEXAMPLE": ec.derive_private_key(rng.randrange(1, p256), ec.SECP256R1()),
        }
        self.good = list(self.private)
        if extra:
            self.private.update(
                K9RSA3072=rsa_key(rng, 3072),
                K9RSA1024=rsa_key(rng, 1024),
                K9P384=ec.derive_private_key(rng.randrange(1, p256), ec.SECP384R1()),
                K9ED25519=ed25519.Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)),
            )
        self.pem = {
            name: key.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
            for name, key in self.private.items()
        }

    def is_ec(self, name):
        return isinstance(self.private[name], ec.EllipticCurvePrivateKey)

    def sign(self, name, hash_name, text):
        key = self.private[name]
        digest = hashes.SHA1() if hash_name == "SHA1" else hashes.SHA256()
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(text)
        if self.is_ec(name):
            return key.sign(text, ec.ECDSA(digest, deterministic_signing=True))
        return key.sign(text, padding.PKCS1v15(), digest)


# --- Drafts -------------------------------------------------------------------

HOSTS = ["media.example.org", "d111111abcdef8.cloudfront.net", "cdn.museum.example", "a.b"]
SEGMENTS = [
    "castle", "Castle", "audio", "zoo", "a", "b", "ab", "tour-1", "x_y", "a.b", "%20", "a%20b",
    "%41", "%7Euser", "~user", "caf%C3%A9", "caf%c3%a9", "it's", "it%27s", "(1)", "a+b", "a,b",
    "a=b", "a&b", "a:b", "@", "$", "!", "hello-world", "helloworld", "%25", "%3F", "a%2Ab", "a*b",
]  # fmt: skip
FILES = ["", "01.m4a", "map.pdf", "seg-1.m4s", "seg-10.m4s", "index.m3u8", "A.MP3", "x", "%2B.jpg"]
OWN = [
    "lang=en", "lang=de", "v=2", "q=a%20b", "q=a+b", "x", "x=", "a=b=c", "=1", "utf=%C3%A9",
    "Expires2=1", "policies=1", "t=12:30", "u=http://b.example/c?d", "u=%2Fa", "k=it%27s", "s=*",
    "xPolicy=1", "w=Policy", "q=%2550olicy", "a;b=c", "Key-Pair=1",
]  # fmt: skip


class Draft:
    """A request under construction. See build() for the order of the steps."""

    def __init__(self, rng, keys):
        self.rng, self.keys = rng, keys
        self.kind = rng.choice(["cookies", "cookies", "url"])
        self.form = rng.choice(["custom", "custom", "canned"])
        self.key = rng.choice(keys.good)
        # ECDSA goes with SHA-256 alone; mutations try it with SHA-1.
        self.hash = "SHA256" if keys.is_ec(self.key) else rng.choice(["SHA1", "SHA256"])
        self.marker = self.hash if self.hash == "SHA256" or rng.random() < 0.3 else None
        self.trusted = {self.key, rng.choice(keys.good)}

        self.scheme = "http" if rng.random() < 0.15 else "https"
        self.host = rng.choice(HOSTS)
        self.path = "/" + "".join(rng.choice(SEGMENTS) + "/" for _ in range(rng.randrange(4)))
        self.path += rng.choice(FILES)
        self.own = rng.sample(OWN, rng.choice([0, 0, 0, 1, 1, 2, 3]))

        self.at = NOW + rng.randrange(-10_000, 10_000)
        self.end = self.at + rng.choice([1, 2, 60, 3600, 86400])
        self.start = self.at - rng.choice([1, 2, 60, 3600]) if rng.random() < 0.3 else None
        self.ipv4 = ".".join(str(rng.randrange(256)) for _ in range(4))
        if self.form == "canned":
            self.start = None
        self.net = None
        if self.form == "custom" and rng.random() < 0.3:
            self.net = around(rng, self.ipv4)
        # Once in a while the IPv4 viewer is written as IPv6.
        self.ip = rng.choice([self.ipv4, self.ipv4, self.ipv4, "::ffff:" + self.ipv4])
        self.resource = covering_resource(rng, self)

        # Steps that mutations may hook into; see build().
        self.edit_text = lambda text: text
        self.make_signature = None
        self.edit_values = lambda values: None
        self.before_sending = lambda: None
        self.edit_case = lambda case: None
        self.mix = rng.random() < 0.3
        self.junk = rng.random() < 0.3
        self.split_headers = rng.random() < 0.1

    def own_query(self):
        return "&".join(self.own)

    def url(self):
        """The URL without signing parameters."""
        query = self.own_query()
        return "%s://%s%s%s" % (self.scheme, self.host, self.path, "?" + query if query else "")

    def condition(self):
        """The Condition of the custom policy, its members in random order."""
        parts = ['"DateLessThan":{"AWS:EpochTime":%d}' % self.end]
        if self.start is not None:
            parts.append('"DateGreaterThan":{"AWS:EpochTime":%d}' % self.start)
        if self.net is not None:
            parts.append('"IpAddress":{"AWS:SourceIp":"%s"}' % self.net)
        self.rng.shuffle(parts)
        return "{%s}" % ",".join(parts)

    def policy(self):
        resource = json.dumps(self.resource, ensure_ascii=False)
        return '{"Statement":[{"Resource":%s,"Condition":%s}]}' % (resource, self.condition())

    def canned(self):
        return (
            '{"Statement":[{"Resource":"%s","Condition":{"DateLessThan":{"AWS:EpochTime":%d}}}]}'
            % (self.url(), self.end)
        )

    def to_custom(self):
        """For mutations that need a policy to work on."""
        self.form = "custom"

    def to_cookies(self):
        self.kind = "cookies"

    def to_url(self):
        self.kind = "url"


def build(d):
    """Sign the draft and make a case of it."""
    rng = d.rng
    text = (d.policy() if d.form == "custom" else d.canned()).encode()
    text = d.edit_text(text)
    if d.make_signature:
        signature = d.make_signature(text)
    else:
        signature = d.keys.sign(d.key, d.hash, text)
    values = [["Policy", b64(text)] if d.form == "custom" else ["Expires", str(d.end)]]
    values += [["Signature", b64(signature)], ["Key-Pair-Id", d.key]]
    if d.marker is not None:
        values.append(["Hash-Algorithm", d.marker])
    d.edit_values(values)
    d.before_sending()

    case = {"url": "", "cookies": [], "ip": d.ip, "at": d.at}
    if d.kind == "url":
        signing = [v[0] if v[1] is None else "%s=%s" % (v[0], on_the_wire(v[1])) for v in values]
        if d.mix:
            # Put them anywhere; the own parameters keep their order.
            pairs = list(d.own)
            for pair in signing:
                pairs.insert(rng.randrange(len(pairs) + 1), pair)
        else:
            pairs = d.own + signing
        case["url"] = "%s://%s%s?%s" % (d.scheme, d.host, d.path, "&".join(pairs))
    else:
        if d.mix:
            rng.shuffle(values)
        case["url"] = d.url()
        cookies = ["CloudFront-%s=%s" % tuple(v) for v in values if v[1] is not None]
        if d.junk:
            for junk in rng.sample(JUNK_COOKIES, 2):
                cookies.insert(rng.randrange(len(cookies) + 1), junk)
        if d.split_headers:
            case["cookies"] = cookies
        else:
            case["cookies"] = [rng.choice(["; ", "; ", ";", ";  "]).join(cookies)]
    case["keys"] = {name: d.keys.pem[name] for name in sorted(d.trusted)}
    d.edit_case(case)
    return case


def on_the_wire(value):
    """Whitespace cannot stand in a URL."""
    return value.replace(" ", "%20").replace("\r", "%0D").replace("\n", "%0A")


JUNK_COOKIES = [
    "session=abc", "theme=dark", "cloudfront-policy=x", "CLOUDFRONT-SIGNATURE=x", "Policy=x",
    "Expires=1", "x-CloudFront-Expires=1", "a=b=c", "CloudFront-Viewer=1", "CloudFront-Policy2=x",
    "cloudfront-Key-Pair-Id=K1", "empty=", 'q="CloudFront-Expires=1"', "_ga=GA1.2.3",
]  # fmt: skip


def around(rng, ip):
    """A range that holds this IPv4 address, often with bits behind the mask."""
    bits = rng.choice([0, 1, 7, 8, 12, 16, 20, 23, 24, 25, 30, 31, 32, 32])
    value = int.from_bytes(bytes(int(o) for o in ip.split(".")), "big")
    if rng.random() < 0.5:
        value = value >> (32 - bits) << (32 - bits)
    elif bits < 32:
        value ^= rng.getrandbits(32 - bits)
    return "%s/%d" % (".".join(map(str, value.to_bytes(4, "big"))), bits)


# --- Resources that cover a URL -----------------------------------------------


def wild(rng, text, times):
    """Replace random pieces of the text by wildcards that stand for them."""
    for _ in range(times):
        i = rng.randrange(len(text) + 1)
        j = min(len(text), i + rng.choice([0, 1, 1, 2, 5]))
        if rng.random() < 0.5:
            text = text[:i] + "*" + text[j:]
        elif j > i:
            text = text[:i] + "?" * (j - i) + text[j:]
    return text


def covering_resource(rng, d):
    """A random Resource, meant to cover the URL of the draft."""
    how = rng.random()
    if how < 0.02:
        return "*"

    scheme = d.scheme + "://"
    domain = d.host
    if rng.random() < 0.1:
        domain = rng.choice([domain.upper(), domain.title()])
    if rng.random() < 0.06:
        scheme = "*://"
    elif rng.random() < 0.05:
        # Without a protocol, beginning with a star in the domain.
        scheme, domain = "", "*" + domain[rng.randrange(len(domain) + 1) :]
    if rng.random() < 0.15:
        first = domain[:1] if scheme == "" else ""
        domain = first + wild(rng, domain[len(first) :], rng.choice([1, 2]))
    if how < 0.06:
        # A trailing star in the domain.
        keep = 1 if scheme == "" else 0
        return scheme + domain[: rng.randrange(keep, len(domain) + 1)].rstrip("?") + "*"
    if rng.random() < 0.05 and scheme:
        domain += ":443" if d.scheme == "https" else ":80"
    if how < 0.08:
        return scheme + domain

    query = d.own_query()
    literal = query.replace("?", "\\?")
    if how < 0.4:
        # The usual kind: a folder and everything below it.
        path = d.path[: d.path.rindex("/", 0, rng.randrange(1, len(d.path) + 1)) + 1] + "*"
    elif how < 0.5:
        path = d.path[: rng.randrange(1, len(d.path) + 1)] + "*"
    elif how < 0.7:
        path = "/" + wild(rng, d.path[1:], rng.choice([1, 1, 2, 3, 6]))
    else:
        path = d.path
    if path.endswith("*") and rng.random() < 0.7:
        return scheme + domain + path
    if query or rng.random() < 0.1:
        if rng.random() < 0.5:
            literal = wild(rng, literal, rng.choice([1, 1, 2])).replace("\\*", "*")
        return scheme + domain + path + "\\?" + literal
    return scheme + domain + path


# --- Mutations ----------------------------------------------------------------

MUTATIONS = []  # (weight, tag, function(rng, draft))


def mutation(weight, tag=None):
    def register(f):
        MUTATIONS.append((weight, tag or f.__name__.replace("_", "-"), f))
        return f

    return register


def set_value(values, name, change):
    """Change a value, by a function or to a fixed text."""
    for v in values:
        if v[0] == name:
            v[1] = change(v[1]) if callable(change) else change


def flip(rng, raw):
    if not raw:
        return b"\0"
    i = rng.randrange(len(raw))
    return raw[:i] + bytes([raw[i] ^ 1 << rng.randrange(8)]) + raw[i + 1 :]


def swap_char(rng, text, alphabet="ABCxyz019-~_+/=%"):
    if not text:
        return "A"
    i = rng.randrange(len(text))
    return text[:i] + rng.choice(alphabet) + text[i + 1 :]


# ... of what was signed, sent differently


@mutation(6)
def flipped_bit(rng, d):
    def edit(values):
        name = rng.choice(["Policy", "Signature", "Signature"])

        def change(text):
            raw = naive.cloudfront_base64(text)
            return b64(flip(rng, raw)) if raw is not None else text

        set_value(values, name, change)

    d.edit_values = edit


@mutation(6)
def changed_character(rng, d):
    def edit(values):
        v = rng.choice(values)
        v[1] = swap_char(rng, v[1])

    d.edit_values = edit


@mutation(3)
def resigned_values(rng, d):
    """Good parts that do not belong together."""
    if d.form == "custom":
        other = d.policy().encode() + b"\n"
        d.edit_values = lambda values: set_value(values, "Policy", b64(other))
    else:
        delta = rng.choice([-1, 1, 3600])
        d.edit_values = lambda values: set_value(values, "Expires", str(d.end + delta))


# ... of the URL


def sending(tag, weight=3):
    """A mutation of the request after signing."""

    def register(f):
        @mutation(weight, tag)
        def mutate(rng, d):
            d.before_sending = lambda: f(rng, d)

        return f

    return register


@sending("other-host")
def _(rng, d):
    d.host = rng.choice(HOSTS + ["x" + d.host, d.host + ".evil.example", d.host[1:] or "b", "evil"])


@sending("other-scheme")
def _(rng, d):
    d.scheme = {"http": "https", "https": "http"}[d.scheme]


@sending("host-case")
def _(rng, d):
    d.host = rng.choice([d.host.upper(), d.host.title(), d.host.swapcase()])


@sending("default-port")
def _(rng, d):
    d.host += ":443" if d.scheme == "https" else ":80"


@sending("odd-host", 3)
def _(rng, d):
    # Only where the Resource has no wildcard that might cover it; see --extra.
    if d.form == "canned" or d.host + "/" in d.resource:
        d.host += rng.choice([":8443", ":80" if d.scheme == "https" else ":443", ":4430", "."])


@sending("path-case")
def _(rng, d):
    d.path = rng.choice([d.path.upper(), d.path.lower(), d.path.swapcase()])


@sending("other-path", 6)
def _(rng, d):
    p = d.path
    i = rng.randrange(1, len(p) + 1)
    d.path = rng.choice(
        [
            p + "x",
            p[:-1] or "/",
            p[:i],
            p[:i] + rng.choice(["x", "/x", "-", "a/b/c", "%20"]) + p[i:],
            p.rstrip("/") or "/",
            p[: p.rindex("/")] + "-2/x" if p.rindex("/") else "/-2/x",
            "/" + rng.choice(SEGMENTS) + p,
            "/",
        ]
    )
    while "//" in d.path:
        d.path = d.path.replace("//", "/")
    d.path = mend_escapes(d.path)


def mend_escapes(text):
    """Broken escapes are for --extra."""
    return re.sub("%(?![0-9A-Fa-f]{2})", "%25", text)


@sending("path-encoding")
def _(rng, d):
    i = rng.randrange(1, len(d.path) + 1)
    c = d.path[i - 1 : i]
    if c not in "/%":
        d.path = d.path[: i - 1] + "%%%02X" % ord(c) + d.path[i:]
        for bad in ("%2E", "%2F"):  # see --extra
            d.path = d.path.replace(bad, "%2D")


@sending("other-query", 8)
def _(rng, d):
    own = list(d.own)
    how = rng.randrange(9)
    if how == 0:
        own.insert(rng.randrange(len(own) + 1), rng.choice(OWN))
    elif how == 1 and own:
        del own[rng.randrange(len(own))]
    elif how == 2:
        rng.shuffle(own)
    elif how == 3:
        own = own + own
    elif how == 4:
        own = []
    elif how == 5 and own:
        i = rng.randrange(len(own))
        own[i] = swap_char(rng, own[i], "abcXYZ019.-~*")
    elif how == 6 and own:
        own[-1] += rng.choice(["&", "?", "x", "=", "%20", "?x=1"])
    elif how == 7:
        own.insert(rng.randrange(len(own) + 1), "")
    elif how == 8 and own:
        own[0] = rng.choice(["&", "?"]) + own[0]
    d.own = [mend_escapes(pair) for pair in own]


@mutation(3)
def empty_query(rng, d):
    """A question mark with nothing behind it counts as no query."""
    d.to_cookies()
    if rng.random() < 0.7:
        d.own = []
        d.resource = covering_resource(rng, d)

    def edit(case):
        case["url"] += "?"

    d.edit_case = edit


# ... of the Resource


@mutation(16)
def edited_resource(rng, d):
    """One to three random edits; the result is signed."""
    d.to_custom()
    r = d.resource
    for _ in range(rng.choice([1, 1, 2, 3])):
        i = rng.randrange(len(r) + 1)
        j = min(len(r), i + rng.choice([0, 1, 1, 3, 8]))
        r = r[:i] + rng.choice(["*", "*", "?", "\\?", "", "/", "x", "**", ".", "&", "a*"]) + r[j:]
    d.resource = r or "*"


@mutation(6)
def resource_form(rng, d):
    d.to_custom()
    host, path = d.host, d.path
    folder = path[: path.rindex("/") + 1]
    d.resource = rng.choice(
        [
            "http*://%s%s*" % (host, folder),
            "http?://%s%s*" % (host, folder),
            "https?://%s%s*" % (host, folder),
            "HTTPS://%s%s*" % (host, folder),
            "**://%s%s*" % (host, folder),
            "*s://%s%s*" % (host, folder),
            "://%s%s*" % (host, folder),
            "//%s%s*" % (host, folder),
            "%s%s*" % (host, folder),
            folder + "*",
            folder[1:] + "*",
            "*" + path[path.rindex("/") :],
            "*" + path[path.rindex("/") + 1 :],
            "*%s%s" % (host, path),
            "*%s%s*" % (host, folder),
            "*" + host,
            "*://" + host,
            "*://%s*" % host,
            "*://*",
            "**",
            "*?",
            "?*",
            "*/",
            "*/*",
            "*\\?*",
            "https://*",
            "http://*",
            "https://*/*",
            "https://*%s/*" % host[1:],
            "https://?%s/*" % host[1:],
            "https://%s.*" % host.split(".")[0],
            "https://%s*" % host,
            "https://%s/" % host,
            "https://%s?" % host,
            "https://%s.%s*" % (host, path),
            "https://%s:443%s*" % (host, folder),
            "https://%s:80%s*" % (host, folder),
            "https://%s:8443%s*" % (host, folder),
            "https://%s%s*\\?*" % (host, folder),
            "https://%s%s*\\?" % (host, folder),
            "https://%s%s\\?*" % (host, path),
            "https://%s%s\\?" % (host, path),
            "https://%s%s?" % (host, path),
            "https://%s%s?*" % (host, path),
            "https://%s%s?%s" % (host, path, d.own_query()),
            "https://%s%s*?%s" % (host, folder, d.own_query()),
            "https://%s%s*?%s*" % (host, folder, d.own_query()),
            "https://%s%s*\\?*=*" % (host, folder),
            "https://%s%s*\\??*" % (host, folder),
            "https://%s%s" % (host, "*".join(path[:1] + path[1:])),
            "https://%s%s" % (host, "/" + "?" * (len(path) - 1)),
            "https://%s%s" % (host, "/" + "?" * len(path)),
            "https://%s/%s" % (host, "*a" * 40),
            "https://%s/%s" % (host, "?" * len(path[1:] + "?" + d.own_query())),
            "https://%s%s#x" % (host, path),
            " https://%s%s*" % (host, folder),
            "https://%s%s* " % (host, folder),
        ]
    )


# ... of the JSON. R is the Resource in quotes, C the Condition, E the expiry,
# I an address range that covers the viewer.

SHAPES = [
    # Accepted.
    '{"Statement":[{"Resource":R,"Condition":C}]}',
    '{"Statement":[{"Condition":C,"Resource":R}]}',
    ' {\r\n\t"Statement" : [ { "Resource" : R , "Condition" : C } ] } \n',
    '{"Statement":[{"Resource":R,"Condition":C}]}\r\n',
    '{"\\u0053tatement":[{"Reso\\u0075rce":R,"Condition":C}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:Epoch\\u0054ime":E}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime" :\n E }}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"IpAddress":{"AWS:SourceIp":"I"},"DateLessThan":{"AWS:EpochTime":E}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"IpAddress":{"AWS:SourceIp":"0.0.0.0\\/0"},"DateLessThan":{"AWS:EpochTime":E}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":9007199254740992}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E},"DateGreaterThan":{"AWS:EpochTime":0}}}]}',
    # The statement.
    "", " ", "{}", "[]", "null", "0", '""', "{", "}", "R", "[{}]",
    '{"Statement":[]}', '{"Statement":{}}', '{"Statement":null}', '{"Statement":[null]}',
    '{"Statement":[[]]}', '{"Statement":"R"}', '{"Statement":[{}]}',
    '{"Statement":{"Resource":R,"Condition":C}}',
    '{"Statement":[[{"Resource":R,"Condition":C}]]}',
    '{"Statement":[{"Resource":R,"Condition":C},{"Resource":R,"Condition":C}]}',
    '{"Statement":[{"Resource":R,"Condition":C},{}]}',
    '{"Statement":[{"Resource":R,"Condition":C},]}',
    '{"Statement":[{"Resource":R,"Condition":C}],}',
    '{"Statement":[{"Resource":R,"Condition":C,}]}',
    '{"Statement":[{"Resource":R "Condition":C}]}',
    '{"Statement":[{"Resource":R,"Condition":C}]',
    '{"Statement":[{"Resource":R,"Condition":C}]}}',
    '{"Statement":[{"Resource":R,"Condition":C}]}x',
    '{"Statement":[{"Resource":R,"Condition":C}]}{}',
    '{"Statement":[{"Resource":R,"Condition":C}]}\0',
    '\ufeff{"Statement":[{"Resource":R,"Condition":C}]}',
    '\u00a0{"Statement":[{"Resource":R,"Condition":C}]}',
    '\f{"Statement":[{"Resource":R,"Condition":C}]}',
    '[{"Statement":[{"Resource":R,"Condition":C}]}]',
    '{"statement":[{"Resource":R,"Condition":C}]}',
    '{"STATEMENT":[{"Resource":R,"Condition":C}]}',
    '{"Statement ":[{"Resource":R,"Condition":C}]}',
    '{"\u017ftatement":[{"Resource":R,"Condition":C}]}',
    "{'Statement':[{'Resource':R,'Condition':C}]}",
    '{Statement:[{Resource:R,Condition:C}]}',
    '{"Statement":[{"Resource":R,"Condition":C}],"Version":"2012-10-17"}',
    '{"Statement":[{"Resource":R,"Condition":C}],"Statement":[{"Resource":R,"Condition":C}]}',
    '{"Statement":[{"Resource":R,"Condition":C}],"\\u0053tatement":[]}',
    '{"Statement":[{"Resource":R,"Condition":C,"Effect":"Allow"}]}',
    '{"Statement":[{"Resource":R,"Condition":C,"":0}]}',
    '/**/{"Statement":[{"Resource":R,"Condition":C}]}',
    '{"Statement":[{"Resource":R,"Condition":C}]}//',
    # The Resource.
    '{"Statement":[{"Condition":C}]}',
    '{"Statement":[{"Resource":null,"Condition":C}]}',
    '{"Statement":[{"Resource":"","Condition":C}]}',
    '{"Statement":[{"Resource":[R],"Condition":C}]}',
    '{"Statement":[{"Resource":7,"Condition":C}]}',
    '{"Statement":[{"Resource":true,"Condition":C}]}',
    '{"Statement":[{"Resource":{},"Condition":C}]}',
    '{"Statement":[{"resource":R,"Condition":C}]}',
    '{"Statement":[{"Resource":R,"resource":R,"Condition":C}]}',
    '{"Statement":[{"Resource":R,"Resource":R,"Condition":C}]}',
    '{"Statement":[{"Resource":"*","Resource":R,"Condition":C}]}',
    '{"Statement":[{"Resource":"https://x/\\q","Condition":C}]}',
    '{"Statement":[{"Resource":"https://x/\\?","Condition":C}]}',
    '{"Statement":[{"Resource":"*\\u00e","Condition":C}]}',
    '{"Statement":[{"Resource":"*\\U0041","Condition":C}]}',
    '{"Statement":[{"Resource":"*\\x41","Condition":C}]}',
    '{"Statement":[{"Resource":"https://x/\n*","Condition":C}]}',
    '{"Statement":[{"Resource":"https://x/\t*","Condition":C}]}',
    '{"Statement":[{"Resource":"https://x/*,"Condition":C}]}',
    '{"Statement":[{"Resource":\'https://x/*\',"Condition":C}]}',
    '{"Statement":[{"Resource":R+"","Condition":C}]}',
    # The Condition.
    '{"Statement":[{"Resource":R}]}',
    '{"Statement":[{"Resource":R,"Condition":{}}]}',
    '{"Statement":[{"Resource":R,"Condition":null}]}',
    '{"Statement":[{"Resource":R,"Condition":[C]}]}',
    '{"Statement":[{"Resource":R,"condition":C}]}',
    '{"Statement":[{"Resource":R,"Condition":C,"Condition":C}]}',
    '{"Statement":[{"Resource":R,"Condition":{"dateLessThan":{"AWS:EpochTime":E}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":E}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":[{"AWS:EpochTime":E}]}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"aws:EpochTime":E}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"EpochTime":E}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E,"AWS:EpochTime":E}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E,"x":1}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E},"DateLessThan":{"AWS:EpochTime":E}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateGreaterThan":{"AWS:EpochTime":1}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E},"DateGreaterThan":null}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E},"DateGreaterThan":{}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E},"IpAddress":null}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E},"IpAddress":{}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E},"IpAddress":"I"}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E},"IpAddress":{"AWS:SourceIp":["I"]}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E},"NotIpAddress":{"AWS:SourceIp":"I"}}}]}',
    '{"Statement":[{"Resource":R,"Condition":{"DateLessThan":{"AWS:EpochTime":E},"StringEquals":{}}}]}',
]  # fmt: skip

EPOCHS = [
    '"E"', "E.0", "E.", "Ee0", "E0e-1", "+E", "-E", "-0", "0E", "00", "0x7fffffff", "1e10", "1E10",
    "1.8e9", "null", "true", "[]", "{}", "[E]", "E E", "E,", "", "NaN", "Infinity", "E000",
    "2147483647", "2147483648", "4294967296", "9007199254740991", "9007199254740992",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551616",
    "99999999999999999999999999", "0", "1", "-1", "E" + "0" * 400,
]  # fmt: skip

RANGES = [
    "A", "A/32", "A/33", "A/-1", "A/+8", "A/", "A/08", "A/032", "A/0", "A/1", "A/8", "A/31", "A/24 ",
    " A/24", "A /24", "A/ 24", "A/24/24", "A/255.255.255.0", "A/2.4", "A/99", "A/240", "0A/8",
    "0.0.0.0/0", "255.255.255.255/0", "256.0.0.1/0", "1.2.3/0", "1.2.3.4.5/0", "1.2.3.4./0",
    ".1.2.3.4/0", "1..3.4/0", "01.2.3.4/0", "1.2.3.004/0", "0x1.2.3.4/0", "1.2.3.1e1/0", "", "/",
    "/0", "*", "::/0", "::ffff:A/128", "::ffff:A/96", "2001:db8::/32", "::1/128", "example.org/0",
    "\u0661.2.3.4/0", "1.2.3.4/\u0660", "A,A/0", "A/0\\u0000", "A-A",
]  # fmt: skip


def shaped(d, template):
    """Make the template the text to be signed."""
    d.to_custom()
    c = d.condition()
    r = json.dumps(d.resource)
    text = template.replace('"I"', '"%s/24"' % d.ipv4)
    parts = {"R": r, "C": c, "E": str(d.end)}
    text = re.sub(r"\b[RCE]\b", lambda m: parts[m.group()], text)
    d.edit_text = lambda _: text.encode()


@mutation(14)
def json_shape(rng, d):
    shaped(d, rng.choice(SHAPES))


@mutation(6)
def json_random(rng, d):
    """Random edits of the policy's bytes, before signing."""
    d.to_custom()

    def edit(text):
        for _ in range(rng.choice([1, 1, 2])):
            i = rng.randrange(len(text) + 1)
            j = min(len(text), i + rng.choice([0, 1, 1, 2]))
            new = rng.choice([b"", b" ", b"\n", b'"', b"\\", b"{", b"}", b",", b":", b"0", b"9",
                              b"-", b"\x00", b"\xff", b"\xc3", b"*", b"[", b"]", b"e", b"\t"])  # fmt: skip
            text = text[:i] + new + text[j:]
        return text

    d.edit_text = edit


@mutation(2)
def json_encoding(rng, d):
    d.to_custom()
    codec = rng.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
    d.edit_text = lambda text: text.decode(errors="replace").encode(codec)


@mutation(2)
def json_escapes(rng, d):
    """The same Resource in other letters, or bytes that are no UTF-8."""
    d.to_custom()
    pieces = []
    for char in d.resource:
        pieces.append(
            rng.choice([char, char, "\\u%04x" % ord(char), "\\u%04X" % ord(char)])
            if char not in '"\\'
            else "\\" + char
        )
    escaped = '"%s"' % "".join(pieces).replace("/", rng.choice(["/", "\\/"]))
    plain = json.dumps(d.resource, ensure_ascii=False)
    bad = rng.choice([b"", b"", b"", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"])

    def edit(text):
        return text.replace(plain.encode(), escaped.encode()[:-1] + bad + b'"')

    d.edit_text = edit


@mutation(1)
def json_deep(rng, d):
    d.to_custom()
    deep = rng.choice([10, 100, 1000])
    d.edit_text = lambda _: (b'{"Statement":' + b"[" * deep + b"]" * deep + b"}")


@mutation(4)
def epoch_form(rng, d):
    d.to_custom()
    value = rng.choice(EPOCHS).replace("E", str(d.end), 1)
    member = rng.choice(["DateLessThan", "DateLessThan", "DateGreaterThan"])
    if member == "DateLessThan":
        conditions = '"DateLessThan":{"AWS:EpochTime":%s}' % value
    else:
        conditions = (
            '"DateLessThan":{"AWS:EpochTime":%d},"DateGreaterThan":{"AWS:EpochTime":%s}'
            % (d.end, value)
        )
    text = '{"Statement":[{"Resource":%s,"Condition":{%s}}]}' % (
        json.dumps(d.resource), conditions)  # fmt: skip
    d.edit_text = lambda _: text.encode()


# ... of times


@mutation(8)
def time_boundary(rng, d):
    d.at = rng.choice([d.end, d.end - 1, d.end + 1, d.end + 86400, 0, d.at * 1000])
    if d.start is not None and rng.random() < 0.6:
        d.at = d.start + rng.choice([-1, 0, 1, 2])


@mutation(3)
def time_order(rng, d):
    d.to_custom()
    d.start = d.end + rng.choice([-2, -1, 0, 1, 3600])
    d.at = rng.choice([d.start, d.end]) + rng.choice([-1, 0, 1])


@mutation(1)
def far_expiry(rng, d):
    d.end = rng.choice([2**31 - 1, 2**31, 2**32, 2**53, 2**53 + 1, 10**18])
    d.at = rng.choice([d.at, d.end - 1])


# ... of addresses


@mutation(6)
def viewer_address(rng, d):
    d.to_custom()
    d.net = around(rng, d.ipv4)
    address, bits = d.net.split("/")
    bits = int(bits)
    value = int.from_bytes(bytes(int(o) for o in address.split(".")), "big")
    low = value >> (32 - bits) << (32 - bits)
    high = low + 2 ** (32 - bits) - 1
    n = rng.choice([low, high, low - 1, high + 1, rng.getrandbits(32)]) % 2**32
    ip = ".".join(map(str, n.to_bytes(4, "big")))
    d.ip = rng.choice(
        [
            ip, ip, ip, ip, "::ffff:" + ip, "::FFFF:" + ip, "::ffff:%x:%x" % (n >> 16, n & 0xFFFF),
            "::" + ip, "64:ff9b::" + ip, "2001:db8::7", "::1", "", "fe80::1",
        ]
    )  # fmt: skip


@mutation(4)
def range_form(rng, d):
    d.to_custom()
    d.net = rng.choice(RANGES).replace("A", d.ipv4)


# ... of hash markers and signatures


@mutation(5)
def hash_marker(rng, d):
    value = rng.choice(
        [None, "SHA1", "SHA256", "", "sha1", "sha256", "Sha256", "SHA-256", "SHA-1", "MD5",
         "SHA512", "SHA384", "SHA256,SHA1", '"SHA256"', "SHA2%356", "SHA256%20", "0"]
    )  # fmt: skip
    d.marker = value


@mutation(1)
def marker_without_value(rng, d):
    d.to_url()

    def edit(values):
        set_value(values, "Hash-Algorithm", None)
        if not any(v[0] == "Hash-Algorithm" for v in values):
            values.append(["Hash-Algorithm", None])

    d.edit_values = edit


@mutation(3)
def other_hash(rng, d):
    """Signed with one hash, marked as the other; ECDSA with SHA-1."""
    d.hash = {"SHA1": "SHA256", "SHA256": "SHA1"}[d.hash]
    if rng.random() < 0.5:
        d.marker = d.hash


@mutation(7)
def wrong_signature(rng, d):
    key = d.keys.private[d.key]
    ecdsa = d.keys.is_ec(d.key)
    digest = hashes.SHA1() if d.hash == "SHA1" else hashes.SHA256()

    def make(text):
        good = d.keys.sign(d.key, d.hash, text)
        how = rng.randrange(10)
        if how == 0:
            return d.keys.sign(rng.choice(d.keys.good), d.hash, text)
        if how == 1 and not ecdsa:
            pss = padding.PSS(padding.MGF1(digest), 0)
            return key.sign(text, pss, digest)
        if how == 1:
            r, s = decode_dss_signature(good)
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if how == 2:
            return good + rng.choice([b"\0", b"\0\0", b"x"])
        if how == 3:
            return rng.choice([b"\0", b"x"]) + good
        if how == 4:
            return good[: rng.choice([1, 2, 16, len(good) - 1])]
        if how == 5:
            return bytes(rng.choice([1, 64, 72, 256, 300]))
        if how == 6:
            return rng.randbytes(len(good))
        if how == 7 and ecdsa:
            # r in a DER spelling that is not the shortest
            return bytes([good[0], good[1] + 1, 2, good[3] + 1, 0]) + good[4:]
        if how == 8 and ecdsa:
            # s and N - s are equally good; CloudFront is not known to care
            n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
            r, s = decode_dss_signature(good)
            return naive.encode_dss_signature(r, n - s)
        if how == 9 and ecdsa:
            return rng.choice(
                [b"\x30\x06\x02\x01\x00\x02\x01\x00", b"\x30\x06\x02\x01\x01\x02\x01\x00", b"\x30\x00"]
            )
        return rng.randbytes(10240) if rng.random() < 0.1 else flip(rng, good)

    d.make_signature = make


@mutation(2)
def other_text_signed(rng, d):
    """The usual ways to sign something else than what CloudFront checks."""
    d.form = rng.choice(["canned", "canned", d.form])

    def make(text):
        s = text.decode(errors="replace")
        other = rng.choice(
            [
                s + "\n",
                s.replace(":[", ": ["),
                s.replace(d.path, d.path + "*"),
                s.replace(d.path, "/*"),
                s.replace("https:", "http:"),
                s.replace('"Resource"', '"resource"'),
                s.replace("&", "\\u0026"),
                s.replace('"Condition":{', '"Condition": {'),
                s.replace("[{", "{").replace("}]", "}"),
                s.replace("Time\":", "Time\":\"").replace("}}}]", "\"}}}]"),
            ]
        )
        return d.keys.sign(d.key, d.hash, other.encode())

    d.make_signature = make


# ... of base64


def std(text):
    return text.translate(str.maketrans("-_~", "+=/"))


def base64url(text):
    return std(text).translate(str.maketrans("+/", "-_"))


def tail_bits(text):
    """The same bytes with one of the unused bits behind them set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~"
    body = text.rstrip("_")
    if body == text:
        return text
    return body[:-1] + alphabet[alphabet.index(body[-1]) | 1] + "_" * (len(text) - len(body))


@mutation(9)
def base64_form(rng, d):
    name = rng.choice(["Policy", "Signature"])
    if rng.random() < 0.5:
        # Padding and unused bits exist only at certain lengths.
        d.edit_text = lambda text: text + b" " * rng.choice([0, 1, 2])

    def change(text):
        i = rng.randrange(1, len(text))
        return rng.choice(
            [
                std, base64url, tail_bits, tail_bits,
                lambda t: t.rstrip("_"),
                lambda t: base64url(t).rstrip("="),
                lambda t: t.replace("~", "_"),
                lambda t: t.replace("-", "+"),
                lambda t: t.replace("~", "/"),
                lambda t: t.replace("_", "="),
                lambda t: t + "_",
                lambda t: t + "____",
                lambda t: t.rstrip("_") + "_" * rng.choice([0, 1, 2, 3, 4]),
                lambda t: t + "AAAA",
                lambda t: t + "A",
                lambda t: t[:-4] + "____",
                lambda t: t[:i] + "_" + t[i:],
                lambda t: t[:i] + "__" + t[i + 2 :],
                lambda t: t[:i] + "\r\n" + t[i:],
                lambda t: t[:i] + "\n" + t[i:],
                lambda t: t[:i] + " " + t[i:],
                lambda t: t[:i] + "%0D%0A" + t[i:],
                lambda t: t[:i] + "=" + t[i:],
                lambda t: t[:i],
                lambda t: t.replace("~", "%7E").replace("_", "%5F"),
                lambda t: t.replace("-", "%2B"),
                lambda t: '"%s"' % t,
                lambda t: "_", lambda t: "__", lambda t: "A", lambda t: "AA", lambda t: "AA__",
                lambda t: "AAA_", lambda t: "AAAA", lambda t: "AB__", lambda t: "____",
                lambda t: "A___", lambda t: "=", lambda t: "!",
            ]
        )(text)  # fmt: skip

    d.edit_values = lambda values: set_value(values, name, change)


# ... of what is sent at all


@mutation(5)
def missing_or_empty(rng, d):
    def edit(values):
        v = rng.choice(values)
        if rng.random() < 0.5:
            values.remove(v)
        else:
            v[1] = ""

    d.edit_values = edit


@mutation(1)
def no_credentials(rng, d):
    d.edit_values = lambda values: values.clear()


@mutation(1)
def no_equals_sign(rng, d):
    d.to_url()

    def edit(values):
        rng.choice(values)[1] = None

    d.edit_values = edit


@mutation(2)
def policy_and_expires(rng, d):
    def edit(values):
        if d.form == "custom":
            values.append(["Expires", rng.choice([str(d.end), "1", "x", ""])])
        else:
            values.append(["Policy", rng.choice([b64(d.policy().encode()), b64(d.canned().encode()), "x", ""])])

    d.edit_values = edit


@mutation(4)
def expires_form(rng, d):
    d.form = "canned"
    value = rng.choice(
        ["", "0", "1", "00", "0E", "+E", "-E", "E.0", "Ee0", " E", "E ", "E,", "0xE", '"E"', "E000",
         "2147483647", "2147483648", "4294967296", "99999999999999999999", "9" * 5000, "abc", "%31",
         "\u0661795000000", "E%20", "1e9", "-1", "NaN"]
    )  # fmt: skip
    if d.kind == "cookies":
        value = value.strip()  # whitespace around a cookie is no part of it
    text = value.replace("E", str(d.end))
    if text.isascii() and text.isdigit() and len(text) < 20:
        d.end = int(text)  # so that the signature fits

    d.edit_values = lambda values: set_value(values, "Expires", text)


@mutation(5)
def key_pair_id(rng, d):
    value = rng.choice(
        ["K2UNKNOWN", "APKAEIBAERJR2EXAMPLE", "arn:aws:cloudfront::1:public-key/K2", "a" * 64,
         "A" * 65, "K", "0", "k2rsaoneexample", "K2RSA-ONE", "K2_RSA", "-----BEGIN PUBLIC KEY-----",
         '"K2RSAONEEXAMPLE"', "K2RSAONEEXAMPLE%20", "%4B2RSAONEEXAMPLE", "K\u00e9", "../K2", "K2,K3",
         "f7b3b4c1-9d0a-4b1e-9f63-example"]
    )  # fmt: skip
    d.edit_values = lambda values: set_value(values, "Key-Pair-Id", value)


@mutation(3)
def key_not_trusted(rng, d):
    d.trusted.discard(d.key)


@mutation(2)
def other_trusted_key(rng, d):
    """The ID of another key of the group, of the same type or the other."""
    other = rng.choice(d.keys.good)
    d.trusted.add(other)
    d.edit_values = lambda values: set_value(values, "Key-Pair-Id", other)


# ... of cookies


@mutation(7)
def duplicate_cookies(rng, d):
    """One cookie comes twice: the same, or what another issuer might have set."""
    d.to_cookies()
    other = rng.choice(d.keys.good)

    def edit(case):
        pairs = [c.strip().split("=", 1) for h in case["cookies"] for c in h.split(";") if "=" in c]
        ours = ["CloudFront-" + n for n in naive.RESERVED]
        # Empty ones aside: whether they are missing or in dispute is open.
        pairs = [p for p in pairs if p[0] in ours and p[1]]
        name, value = rng.choice(pairs or [["CloudFront-Policy", "x"]])
        cookies = [c for h in case["cookies"] for c in h.split("; ")]
        if rng.random() < 0.5:
            cookies = ["; ".join(cookies)]
        if rng.random() < 0.6:
            value = {
                "CloudFront-Key-Pair-Id": other,
                "CloudFront-Hash-Algorithm": rng.choice(["SHA1", "SHA256", "MD5", ""]),
                "CloudFront-Expires": str(d.end + rng.choice([0, 1])),
            }.get(name) or "AAAA"
        extra = "%s=%s" % (name, value)
        how = rng.randrange(3)
        if how == 0 or not cookies:
            cookies.append(extra)
        elif how == 1:
            cookies.insert(0, extra)
        else:
            cookies[-1] += "; " + extra
        case["cookies"] = cookies

    d.edit_case = edit


@mutation(3)
def cookie_names(rng, d):
    d.to_cookies()
    change = rng.choice([str.lower, str.upper, lambda n: n.replace("-", "_"), lambda n: n + "2",
                         lambda n: "__Host-" + n, lambda n: n.removeprefix("CloudFront-")])  # fmt: skip

    def edit(case):
        header = "; ".join(case["cookies"])
        names = ["CloudFront-" + n for n in naive.RESERVED if "CloudFront-%s=" % n in header]
        name = rng.choice(names or ["CloudFront-Policy"])
        case["cookies"] = [header.replace(name + "=", change(name) + "=")]

    d.edit_case = edit


@mutation(2)
def cookie_header(rng, d):
    """Odd but harmless separators, empty pairs, empty headers."""
    d.to_cookies()

    def edit(case):
        pairs = [c.strip() for h in case["cookies"] for c in h.split(";")]
        sep = rng.choice([";", "; ", " ; ", ";;", ";\t", "; ; "])
        case["cookies"] = [rng.choice(["", ";", " ", "x; "]) + sep.join(pairs) + rng.choice(["", ";", " ", "; y"])]
        if rng.random() < 0.5:
            case["cookies"].insert(rng.randrange(2), rng.choice(["", "a=b", ";"]))

    d.edit_case = edit


@mutation(2)
def quoted_or_encoded_cookie(rng, d):
    d.to_cookies()

    def edit(values):
        v = rng.choice(values)
        v[1] = rng.choice(['"%s"' % v[1], v[1].replace("-", "%2D").replace("~", "%7E"),
                           v[1] + ",", "'%s'" % v[1], v[1] + "%20"])  # fmt: skip

    d.edit_values = edit


# ... of both at once


@functools.lru_cache(maxsize=1)
def spellings():
    """Query pairs on and around the reserved names."""
    out = []
    for name in naive.RESERVED:
        out += [
            name + "=1", name, name + "=", name.lower() + "=1", name.upper() + "=1", name.swapcase(),
            "%%%02X%s=1" % (ord(name[0]), name[1:]), "%%%02x%s=1" % (ord(name[0]), name[1:]),
            "%%%02x%s" % (ord(name[0]) ^ 32, name[1:]),
            name[:-1] + "%%%02X=1" % ord(name[-1]),
            "".join("%%%02X" % ord(c) for c in name) + "=x",
            name.replace("-", "%2D") + "=1", name.replace("-", "%2d").lower() + "=1",
            "x;%s=1" % name, "x=1;%s=1" % name, "x=1;%s" % name, ";%s=1" % name, "x;y;%s=" % name,
            "x;%s=1" % name.lower(), "x;%%%02X%s=1" % (ord(name[0]), name[1:]),
            # These are nobody's business.
            name + "2=1", "x" + name + "=1", name.replace("-", "_") + "s=1", name[:-1] + "=1",
            "x=" + name, "=" + name, name + "%20=1", name + "+=1", name + "%3D=1", name + "[]=1",
            "%%25%02X%s=1" % (ord(name[0]), name[1:]), name + ".=1", "x.%s=1" % name,
        ]  # fmt: skip
    return sorted(set(out))


@mutation(12)
def reserved_spelling(rng, d):
    """Something like a reserved name in the query."""
    pair = rng.choice(spellings())
    if d.form == "custom" and rng.random() < 0.7:
        # Let the query be free, so that the name alone decides.
        d.resource = "%s://%s/*" % (d.scheme, d.host)
    if d.form == "canned" and rng.random() < 0.5:
        # Signed along with the rest.
        d.own.insert(rng.randrange(len(d.own) + 1), pair)
    else:
        d.before_sending = lambda: d.own.insert(rng.randrange(len(d.own) + 1), pair)


@mutation(3)
def reserved_twice(rng, d):
    d.to_url()

    def edit(values):
        v = rng.choice(values)
        values.insert(rng.randrange(len(values) + 1), [v[0], rng.choice([v[1], "", "1"])])

    d.edit_values = edit


@mutation(4)
def url_with_cookies(rng, d):
    """A signed URL decides alone, whatever the cookies are."""
    d.to_url()
    other = Draft(rng, d.keys)
    other.to_cookies()
    other.scheme, other.host, other.path, other.own = d.scheme, d.host, d.path, list(d.own)
    other.resource = "*"
    other.at, other.end, other.start, other.net = d.at, d.at + 60, None, None
    d.trusted.add(other.key)
    if rng.random() < 0.5:
        flipped_bit(rng, d)  # a bad URL beside good cookies
    else:
        rng.choice([wrong_signature, missing_or_empty, no_credentials])(rng, other)

    def edit(case):
        case["cookies"] = build(other)["cookies"]

    d.edit_case = edit


@mutation(1)
def cookies_moved_to_query(rng, d):
    """Half of the credentials here, half there."""
    d.to_cookies()

    def edit(values):
        v = values.pop(rng.randrange(len(values)))
        d.own.append("%s=%s" % tuple(v))

    d.edit_values = edit


# ... of sizes


@mutation(1)
def long_url(rng, d):
    size = rng.choice([8191, 8192, 8193, 9000])
    if d.form == "custom":
        d.resource = "%s://%s/*" % (d.scheme, d.host)
    if d.kind == "cookies" and d.form == "canned":
        d.path += "a" * (size - len(d.url()))  # signed as well
        return

    def edit(case):
        head, mark, query = case["url"].partition("?")
        case["url"] = head + "a" * (size - len(case["url"])) + mark + query

    d.edit_case = edit


@mutation(1)
def long_request(rng, d):
    """The Cookie headers and the URL together."""
    size = rng.choice([32767, 32768, 32769, 40000])

    def edit(case):
        case["cookies"].append("junk=")
        used = len(case["url"]) + sum(len(h) for h in case["cookies"])
        case["cookies"][-1] += "a" * (size - used)

    d.edit_case = edit


@mutation(1)
def starry_pattern(rng, d):
    """Patterns that are slow for a matcher that tries everything."""
    d.to_custom()
    n = rng.choice([5, 20, 60])
    d.path = "/" + "a" * rng.choice([n, 30, 200]) + rng.choice(["", "b"])
    d.resource = "%s://%s/%s" % (d.scheme, d.host, "*a" * n + rng.choice(["", "*", "b", "*b"]))


# ... that only --extra asks for

EXTRA = []


def extra(f):
    EXTRA.append((10, "extra-" + f.__name__.replace("_", "-"), f))
    return f


@extra
def ambiguous_path(rng, d):
    piece = rng.choice(["../", "./", "%2e%2e/", "%2E./", "/", "%2f", "%2F", "%5c", "\\", "%00", "..;/", "%252e/"])
    i = d.path.rindex("/") + 1
    d.path = d.path[:i] + piece + d.path[i:]


@extra
def broken_escape(rng, d):
    piece = rng.choice(["%zz", "%", "%4", "%u0041"])
    if rng.random() < 0.5:
        d.path += piece
    else:
        d.own.append(rng.choice(["x=", "Policy", "x;"]) + piece)
    d.resource = "%s://%s/*" % (d.scheme, d.host)


@extra
def port_and_dot(rng, d):
    host = d.host
    d.host += rng.choice([":8443", ":8080", ".", ".:443", ":", ":0443"])
    d.resource = "%s://%s/*" % (d.scheme, rng.choice([d.host, d.host, host + "*", host + ":*", "*"]))


@extra
def key_type(rng, d):
    d.key = rng.choice([k for k in d.keys.private if k not in d.keys.good])
    d.trusted = {d.key}


@extra
def raw_non_ascii(rng, d):
    d.path += rng.choice(["\u00e9", "\u4e2d", "\U0001f3f0"])
    d.resource = "%s://%s%s" % (
        d.scheme, d.host, d.path[:-1] + rng.choice([d.path[-1], "?", "??", "???", "????", "*"]))  # fmt: skip
    d.own = []


@extra
def odd_backslash(rng, d):
    d.to_custom()
    i = rng.randrange(1, len(d.path) + 1)
    piece = rng.choice(["\\", "\\\\", "\\*", "\\\\?", "\\a"])
    d.resource = "%s://%s%s*" % (d.scheme, d.host, d.path[:i] + piece + d.path[i:])


@extra
def half_surrogate(rng, d):
    shaped(d, '{"Statement":[{"Resource":"*\\ud83c","Condition":C}]}')


@extra
def quote_in_canned_url(rng, d):
    d.form = "canned"
    d.path += rng.choice(['"', "\\", "<", "\x7f"])


# --- The command --------------------------------------------------------------


def random_case(rng, keys, mutations):
    d = Draft(rng, keys)
    tag = "valid"
    if rng.random() < 0.75:
        weights = [w for w, _, _ in mutations]
        chosen = rng.choices(mutations, weights, k=1 if rng.random() < 0.9 else 2)
        for _, _, mutate in chosen:
            mutate(rng, d)
        tag = "+".join(name for _, name, _ in chosen)
    case = build(d)
    hash_name = d.marker or "none"
    kind = "ec" if keys.is_ec(d.key) else "rsa"
    tag = "%s %s/%s/%s/%s" % (tag, d.kind, d.form, kind, hash_name)
    case = {"tag": tag, **case}
    case["expect"] = naive.decide(case)
    return case


def main():
    parser = argparse.ArgumentParser(description="random cases with the verdict of naive.py")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--extra", action="store_true", help="also what the rules leave open")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    keys = Keys(rng, args.extra)
    mutations = MUTATIONS + (EXTRA if args.extra else [])

    codes = collections.Counter()
    tags = collections.defaultdict(collections.Counter)
    for _ in range(args.count):
        case = random_case(rng, keys, mutations)
        print(json.dumps(case))
        code = case["expect"]["code"] or "allowed"
        codes[code] += 1
        for name in case["tag"].split(" ")[0].split("+"):
            tags[name]["allowed" if case["expect"]["allowed"] else "refused"] += 1

    for name, n in sorted(tags.items()):
        print("%-28s %6d allowed %6d refused" % (name, n["allowed"], n["refused"]), file=sys.stderr)
    for code, n in codes.most_common():
        print("%-28s %6d  %4.1f %%" % (code, n, 100 * n / args.count), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
