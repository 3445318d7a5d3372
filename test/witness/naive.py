#!/usr/bin/env python3
"""A slow, naive second opinion: would CloudFront let this request through?

The program was written from the written rules alone, without a look at the Go
code, so that a mistake in one is unlikely to be repeated in the other.
Clarity comes first, speed last. The rules are CloudFront's documented ones;
each step names the page of the CloudFront developer guide it comes from:

  [cookies]         private-content-signed-cookies.html
  [cookie canned]   private-content-setting-signed-cookie-canned-policy.html
  [cookie custom]   private-content-setting-signed-cookie-custom-policy.html
  [url]             private-content-signed-urls.html
  [url canned]      private-content-creating-signed-url-canned-policy.html
  [url custom]      private-content-creating-signed-url-custom-policy.html
  [encoding]        private-content-linux-openssl.html
  [keys]            private-content-trusted-signers.html
  [limits]          cloudfront-limits.html

Where AWS is silent, the stricter reading is taken and the step says "choice".

Not decided here: requests that a server refuses before it looks at signatures,
such as paths with dot segments, `//`, `%2f` or broken escapes. Paths and
queries are compared as raw bytes.

Usage
  naive.py < cases.jsonl            one verdict a line
  naive.py --check < cases.jsonl    compare with the "expect" of every case
  naive.py --vectors foreign.json   run a file of foreign vectors
The last two print "N passed, N failed" and exit with 1 if any failed.

A case is one line of JSON:
  {"url": "https://host/path?query",     exactly as on the wire
   "cookies": ["raw Cookie header", ...],
   "ip": "192.0.2.1",                    the viewer; "" if unknown
   "at": 1795000000,                     now, in Unix seconds
   "keys": {"KEYPAIRID": "PEM", ...}}    the key group of this cache behavior
A verdict is one line of JSON:
  {"allowed": bool, "code": "...", "why": "..."}
"""

import argparse
import base64
import functools
import ipaddress
import json
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

# [limits] "Maximum length of a URL" and "Maximum length of a request,
# including headers and query strings". Choice: the second one is measured as
# URL plus the values of all Cookie headers, for nothing else is known here.
MAX_URL = 8192
MAX_REQUEST = 32768

# [url canned], [url custom]: the query parameters of a signed URL.
# [cookie canned], [cookie custom]: the cookies, which are called the same with
# "CloudFront-" in front.
# Choice: Hash-Algorithm is as reserved as the four that the pages list.
RESERVED = ("Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm")
COOKIE_PREFIX = "CloudFront-"

# [cookie canned]: the expiry of a canned policy is a 32-bit number.
MAX_CANNED_EXPIRES = 2**31 - 1
# Choice: the largest integer that every JSON reader holds exactly.
MAX_EPOCH = 2**53


class Refused(Exception):
    """The request is refused with one of CloudFront's error codes."""

    def __init__(self, code, why):
        super().__init__(why)
        self.code = code
        self.why = why


def decide(case):
    """The verdict on one case, as a dict."""
    try:
        check(case)
    except Refused as r:
        return {"allowed": False, "code": r.code, "why": r.why}
    return {"allowed": True, "code": "", "why": ""}


def check(case):
    """Go through the rules in their order; return if allowed, else raise."""
    url, cookie_headers = case["url"], case.get("cookies") or []

    # [limits]
    size = len(url.encode())
    if size > MAX_URL:
        raise Refused("TooLarge", "URL too long")
    if size + sum(len(h.encode()) for h in cookie_headers) > MAX_REQUEST:
        raise Refused("TooLarge", "URL and Cookie headers too long")

    origin, path, query = split_url(url)
    pairs = [] if query is None else query.split("&")

    # [url] "If you use both signed URLs and signed cookies ... and a viewer
    # uses a signed URL, CloudFront determines access based only on the signed
    # URL"; any one of the names makes it a signed URL.
    url_mode = any(pair_name(p) in RESERVED for p in pairs)
    refuse_odd_names(pairs)
    if url_mode:
        values = values_from_query(pairs)
        differing = set()
    else:
        values, differing = values_from_cookies(cookie_headers)

    # [keys]. An ID that cannot be one counts as absent (so do AWS's edges with
    # a PEM in its place).
    key_id = values.get("Key-Pair-Id", "")
    if not re.fullmatch(r"[A-Za-z0-9]{1,64}", key_id):
        raise Refused("MissingKey", "no usable key pair ID")
    if not values.get("Signature"):
        raise Refused("MissingKey", "no signature")
    # Choice: two cookies of one name that disagree are not resolved.
    if differing:
        raise Refused("AccessDenied", "cookies sent twice: " + ", ".join(sorted(differing)))
    if key_id not in case["keys"]:
        raise Refused("InvalidKey", "unknown key pair ID")

    # [cookie custom], [url custom]: SHA1 or SHA256, SHA1 if left out.
    # Choice: exactly these spellings.
    marker = values.get("Hash-Algorithm", "SHA1")
    if marker not in ("SHA1", "SHA256"):
        raise Refused("AccessDenied", "hash marker is neither SHA1 nor SHA256")

    signature = cloudfront_base64(values["Signature"])
    if signature is None:
        raise Refused("MalformedSignature", "signature is not CloudFront base64")

    # [cookie canned], [cookie custom]: one of the two.
    # Choice: both is refused; a name that is there with no value is there.
    if "Policy" not in values and "Expires" not in values:
        raise Refused("MalformedPolicy", "neither Policy nor Expires")
    if "Policy" in values and "Expires" in values:
        raise Refused("MalformedPolicy", "both Policy and Expires")

    own_query = viewer_query(pairs, url_mode)
    if "Policy" in values:
        # [cookie custom]: the signature is over the bytes that were sent, as
        # they are. Choice: the policy may be as long as the request may.
        text = cloudfront_base64(values["Policy"])
        if text is None:
            raise Refused("MalformedPolicy", "policy is not CloudFront base64")
        policy = read_policy(text)
    else:
        end = canned_expires(values["Expires"])
        text = canned_text(origin, path, own_query, end)
        policy = {"resource": None, "start": None, "end": end, "net": None}

    verify(case["keys"][key_id], marker, signature, text)

    # [url custom], [cookie custom]: DateLessThan, DateGreaterThan. The start
    # is exclusive (documented); that the end is exclusive too is a choice.
    now, start, end = case["at"], policy["start"], policy["end"]
    if start is not None and start >= end:
        raise Refused("AccessDenied", "start is not before end")
    if start is not None and not now > start:
        raise Refused("AccessDenied", "not valid yet")
    if not now < end:
        raise Refused("AccessDenied", "expired")

    if policy["net"] is not None and not ip_in(case.get("ip") or "", policy["net"]):
        raise Refused("AccessDenied", "viewer address not covered")

    # A canned policy was rebuilt from this very URL: nothing left to compare.
    if policy["resource"] is not None:
        if not resource_covers(policy["resource"], origin, path, own_query):
            raise Refused("AccessDenied", "resource does not cover the URL")


# --- The request ------------------------------------------------------------


def split_url(url):
    """Cut a URL into ("https", "host:port"), "/path" and the query.

    The query is None if there is no question mark. Nothing is decoded and
    nothing is normalized: CloudFront compares what was on the wire.
    """
    m = re.fullmatch(r"([^:/?#]+)://([^/?#]+)(/[^?]*)(?:\?(.*))?", url, re.DOTALL)
    if not m:
        raise Refused("AccessDenied", "not an absolute URL with a path")
    scheme, authority, path, query = m.groups()
    return (scheme, authority), path, query


def pair_name(pair):
    return pair.split("=", 1)[0]


def pair_value(pair):
    return pair.split("=", 1)[1] if "=" in pair else ""


def refuse_odd_names(pairs):
    """Refuse names that only some readers would take for a reserved one.

    Choice: names are exact, and what comes near one is refused rather than
    passed on: `policy=`, `%50olicy=`, `x=1;Policy=2`.
    """
    reserved = [name.lower() for name in RESERVED]
    for pair in pairs:
        name = pair_name(pair)
        if name not in RESERVED and percent_decode(name).lower() in reserved:
            raise Refused("AccessDenied", "odd spelling of a reserved name")
        for piece in pair.split(";")[1:]:
            if percent_decode(pair_name(piece)).lower() in reserved:
                raise Refused("AccessDenied", "reserved name after a semicolon")


def percent_decode(text):
    """Decode %XX once; what is no such escape stays as it is."""
    return re.sub("%([0-9A-Fa-f]{2})", lambda m: chr(int(m.group(1), 16)), text)


def values_from_query(pairs):
    """[url canned], [url custom]: the parameters of a signed URL.

    The values are taken as they stand: their alphabets need no escapes.
    Choice: a name that comes twice, even with one value, is refused.
    """
    values = {}
    for pair in pairs:
        name = pair_name(pair)
        if name in RESERVED:
            if name in values:
                raise Refused("AccessDenied", "parameter sent twice: " + name)
            values[name] = pair_value(pair)
    return values


def values_from_cookies(headers):
    """[cookie canned], [cookie custom]: the cookies, and the names in dispute.

    Names are case-sensitive. Nothing is unquoted or decoded: CloudFront's
    values need neither. A name sent again with the same value is no dispute.
    """
    values, differing = {}, set()
    for header in headers:
        for pair in header.split(";"):
            name, equals, value = pair.strip(" \t").partition("=")
            short = name[len(COOKIE_PREFIX):]
            if not equals or not name.startswith(COOKIE_PREFIX) or short not in RESERVED:
                continue
            if values.setdefault(short, value) != value:
                differing.add(name)
    return values, differing


def viewer_query(pairs, url_mode):
    """The viewer's own query: without the signing parameters, in order.

    [url canned] "including the viewer's own query string, if any, but not the
    CloudFront parameters". No pairs, or nothing in them, is an empty query.

    AWS's sample decoder removes each pair together with the "&" behind it, so
    an own parameter before them would keep a stray "&"; here the remaining
    pairs are joined anew, as the signers write them.
    """
    if url_mode:
        pairs = [p for p in pairs if pair_name(p) not in RESERVED]
    return "&".join(pairs)


# --- The signature ----------------------------------------------------------


def cloudfront_base64(text):
    """The bytes behind CloudFront's base64, or None.

    [encoding] Base64 with padding, then "+" to "-", "=" to "_", "/" to "~".
    Choice: only the one canonical spelling of the bytes is accepted.
    """
    if not re.fullmatch(r"[A-Za-z0-9\-~]*_{0,2}", text) or len(text) % 4 != 0:
        return None
    try:
        raw = base64.b64decode(text.translate(str.maketrans("-_~", "+=/")), validate=True)
    except ValueError:
        return None
    return raw if to_cloudfront_base64(raw) == text else None


def to_cloudfront_base64(raw):
    return base64.b64encode(raw).decode().translate(str.maketrans("+=/", "-_~"))


@functools.lru_cache(maxsize=None)
def load_key(pem):
    return serialization.load_pem_public_key(pem.encode())


def verify(pem, marker, signature, text):
    """[keys]: RSA 2048 with PKCS#1 v1.5, or ECDSA P-256 as DER.

    The marker alone says which hash is tried. ECDSA with SHA-1: AWS's own
    sources disagree; choice: refused.
    """
    denied = Refused("AccessDenied", "signature does not verify")
    try:
        key = load_key(pem)
    except Exception:
        raise Refused("AccessDenied", "public key cannot be read")
    digest = hashes.SHA256() if marker == "SHA256" else hashes.SHA1()

    if isinstance(key, rsa.RSAPublicKey) and key.key_size == 2048:
        try:
            key.verify(signature, text, padding.PKCS1v15(), digest)
        except InvalidSignature:
            raise denied
    elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        if marker != "SHA256":
            raise Refused("AccessDenied", "ECDSA with SHA-1")
        try:
            # Strictly the one DER spelling of r and s, nothing behind it.
            if encode_dss_signature(*decode_dss_signature(signature)) != signature:
                raise denied
            key.verify(signature, text, ec.ECDSA(digest))
        except (InvalidSignature, ValueError):
            raise denied
    else:
        raise Refused("AccessDenied", "key is neither RSA-2048 nor P-256")


# --- Canned policies --------------------------------------------------------


def canned_expires(text):
    """[cookie canned]: Unix seconds, decimal, 32 bits. Choice: no leading 0."""
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text) or int(text) > MAX_CANNED_EXPIRES:
        raise Refused("MalformedPolicy", "Expires is not a 32-bit decimal number")
    return int(text)


def canned_text(origin, path, own_query, expires):
    """[url canned], [cookie canned]: the policy that the signer must have used.

    The host stands as it was sent. There is no trailing "?" if the viewer had
    no query of its own.
    """
    url = "%s://%s%s" % (*origin, path)
    if own_query:
        url += "?" + own_query
    return (
        '{"Statement":[{"Resource":"%s","Condition":{"DateLessThan":{"AWS:EpochTime":%d}}}]}'
        % (url, expires)
    ).encode()


# --- Custom policies --------------------------------------------------------
#
# [cookie custom], [url custom]: one statement,
#   {"Statement":[{"Resource":"...","Condition":{
#     "DateLessThan":{"AWS:EpochTime":N},
#     "DateGreaterThan":{"AWS:EpochTime":N},
#     "IpAddress":{"AWS:SourceIp":"a.b.c.d/nn"}}}]}
# whitespace between tokens is allowed (AWS's own example has some), the order
# of members is free. Choice: nothing else may be there, and nothing twice. A
# policy without Resource, which AWS documents as opening everything, is
# refused.


class Number(str):
    """A number of the policy, kept as the text it was written with.

    A JSON text is a plain str: `type(x) is str` tells the two apart.
    """


def read_policy(raw):
    """The parts of a custom policy that matter."""
    try:
        text = raw.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise malformed("not UTF-8")
    statement = members(JSON(text).document(), required=["Statement"])["Statement"]
    if not isinstance(statement, list) or len(statement) != 1:
        raise malformed("Statement is not a list of one")
    parts = members(statement[0], required=["Resource", "Condition"])
    conditions = members(
        parts["Condition"],
        required=["DateLessThan"],
        optional=["DateGreaterThan", "IpAddress"],
    )
    if type(parts["Resource"]) is not str or parts["Resource"] == "":
        raise malformed("Resource is not a text")
    policy = {"resource": parts["Resource"], "start": None, "net": None}
    policy["end"] = epoch(conditions["DateLessThan"])
    if "DateGreaterThan" in conditions:
        policy["start"] = epoch(conditions["DateGreaterThan"])
    if "IpAddress" in conditions:
        policy["net"] = ipv4_range(conditions["IpAddress"])
    return policy


def malformed(why):
    return Refused("MalformedPolicy", why)


def members(value, required, optional=()):
    """value, if it is an object with these members and no others."""
    if not isinstance(value, dict):
        raise malformed("an object is missing")
    for name in required:
        if name not in value:
            raise malformed("missing: " + name)
    for name in value:
        if name not in required and name not in optional:
            raise malformed("unknown member")
    return value


def epoch(value):
    """{"AWS:EpochTime": N}: [cookie custom] says not to put N in quotes."""
    number = members(value, required=["AWS:EpochTime"])["AWS:EpochTime"]
    if not isinstance(number, Number) or not re.fullmatch(r"0|[1-9][0-9]*", number):
        raise malformed("the time is not a plain whole number")
    if len(number) > 16 or int(number) > MAX_EPOCH:
        raise malformed("the time is too large")
    return int(number)


def ipv4_range(value):
    """{"AWS:SourceIp": "a.b.c.d/nn"} as (address, prefix length), both ints.

    [cookie custom]: one IPv4 address as /32, or an IPv4 range in CIDR form.
    Choice: a bare address is refused; the bits behind the mask do not matter.
    """
    text = members(value, required=["AWS:SourceIp"])["AWS:SourceIp"]
    octet = r"(0|[1-9][0-9]{0,2})"
    m = type(text) is str and re.fullmatch(
        r"%s\.%s\.%s\.%s/(0|[1-9][0-9]?)" % (octet, octet, octet, octet), text
    )
    if not m:
        raise malformed("the address is not a.b.c.d/nn")
    *octets, bits = [int(g) for g in m.groups()]
    if max(octets) > 255 or bits > 32:
        raise malformed("the address is out of range")
    return int.from_bytes(bytes(octets), "big"), bits


def ip_in(viewer, net):
    """Is the viewer in the IPv4 range?

    An IPv6 viewer never is, unless its address is an IPv4 one in IPv6 form.
    """
    try:
        ip = ipaddress.ip_address(viewer)
    except ValueError:
        return False
    if ip.version == 6:
        if ip.ipv4_mapped is None or ip.scope_id is not None:
            return False
        ip = ip.ipv4_mapped
    address, bits = net
    # The first `bits` of the 32 bits, written out, must be the same.
    return format(int(ip), "032b")[:bits] == format(address, "032b")[:bits]


class JSON:
    """A reader of JSON (RFC 8259), stricter than Python's.

    No member may come twice in an object; numbers keep their text; an escape
    of half a surrogate pair is refused, because no UTF-8 can hold it.
    """

    MAX_DEPTH = 64

    def __init__(self, text):
        self.text = text
        self.pos = 0
        self.depth = 0

    def document(self):
        value = self.value()
        self.space()
        if self.pos != len(self.text):
            raise malformed("something follows the policy")
        return value

    def space(self):
        while self.pos < len(self.text) and self.text[self.pos] in " \t\r\n":
            self.pos += 1

    def peek(self):
        """The next character that is not whitespace; "" at the end."""
        self.space()
        return self.text[self.pos : self.pos + 1]

    def take(self, char):
        if self.peek() != char:
            raise malformed("not JSON")
        self.pos += 1

    def value(self):
        char = self.peek()
        if char in ("{", "["):
            self.depth += 1
            if self.depth > self.MAX_DEPTH:
                raise malformed("too deep")
            value = self.object() if char == "{" else self.array()
            self.depth -= 1
            return value
        if char == '"':
            return self.string()
        m = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?|true|false|null").match(
            self.text, self.pos
        )
        if not m:
            raise malformed("not JSON")
        self.pos = m.end()
        word = m.group()
        return {"true": True, "false": False, "null": None}.get(word, Number(word))

    def object(self):
        result = {}
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return result
        while True:
            if self.peek() != '"':
                raise malformed("not JSON")
            name = self.string()
            if name in result:
                raise malformed("a member comes twice")
            self.take(":")
            result[name] = self.value()
            if self.peek() == "}":
                self.take("}")
                return result
            self.take(",")

    def array(self):
        result = []
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return result
        while True:
            result.append(self.value())
            if self.peek() == "]":
                self.take("]")
                return result
            self.take(",")

    STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*)"')

    def string(self):
        m = self.STRING.match(self.text, self.pos)
        if not m:
            raise malformed("not JSON")
        self.pos = m.end()
        simple = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

        def unescape(m):
            escape = m.group(1)
            if escape[0] == "u":
                return chr(int(escape[1:], 16))
            return simple.get(escape, escape)

        value = re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", unescape, m.group(1))
        try:
            # Two \u escapes of a surrogate pair make one character.
            return value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise malformed("half a surrogate pair")


# --- Resource ---------------------------------------------------------------
#
# [url custom], "Use wildcard characters in a resource": a resource has four
# sections,
#   [protocol]://[domain]/[path]\?[query]
# "*" is any number of characters and "?" exactly one, and neither leaves its
# section. Choice: the same for signed cookies, whose page is less precise.


def resource_covers(resource, origin, path, own_query):
    """Does the Resource of a custom policy cover this request?"""
    scheme, authority = origin

    # [url custom] "*" alone matches everything.
    if resource == "*":
        return True

    # The protocol. A "://" behind the first "/" belongs to path or query.
    # [url custom] allows http, https and *. Choice: no other wildcard in it
    # (`http*://`), and exactly these letters.
    before, mark, after = resource.partition("://")
    if mark and "/" not in before:
        if before not in ("http", "https", "*"):
            return False
        if before != "*" and before != scheme:
            return False
        rest = after
    elif resource.startswith("*"):
        # [url custom] "*example.com" covers any protocol.
        rest = resource
    else:
        return False

    # The domain ends where the path or, if there is no path, the query begins.
    cut = min([i for i in (rest.find("/"), rest.find("\\?")) if i >= 0] or [len(rest)])
    domain, rest = rest[:cut], rest[cut:]
    if not domain_covers(domain, scheme, authority):
        return False
    # [url custom] a "*" that ends the domain and the resource covers any path
    # and query.
    if rest == "" and domain.endswith("*"):
        return True

    # The escaped question mark begins the query; a bare one is the wildcard.
    # [url custom] "*example.com" is "*://*example.com/": no path is "/".
    path_section, mark, query_section = rest.partition("\\?")
    if mark:
        return matches(path_section or "/", path) and matches(query_section, own_query)
    # [url custom] a "*" that ends the path covers any query: "/hello*" is
    # "/hello*\?*". Any other path wants no query.
    if matches(path_section or "/", path) and (path_section.endswith("*") or own_query == ""):
        return True
    # Choice: "?" is any one character, so it may be the one that begins the
    # query. AWS's own signers write such resources for a URL with a query.
    return own_query != "" and any(
        matches(path_section[:i], path) and matches(path_section[i + 1 :], own_query)
        for i, c in enumerate(path_section)
        if c == "?"
    )


def domain_covers(domain, scheme, authority):
    """Choice: no case; no trailing dot; the scheme's default port counts as absent.

    Any other port is compared like the rest of the name, for edges on a machine
    of one's own. A request for a name with a dot at its end is covered by no
    domain.
    """
    default = {"http": ":80", "https": ":443"}.get(scheme, ":")
    host = authority.lower().removesuffix(default)
    if host.endswith("."):
        return False
    return matches(domain.lower().removesuffix(default), host)


def matches(pattern, text):
    """Does the whole text match the pattern of one section?

    Both are compared byte by byte. `\\?` is a literal question mark; any other
    backslash stands for itself.

    `here` holds every number of bytes of the text that the pattern so far can
    have used up.
    """
    text = text.encode()
    here = {0}
    for token in re.findall(rb"\\\?|.", pattern.encode(), re.DOTALL):
        if token == b"*":
            here = set(range(min(here), len(text) + 1))
        elif token == b"?":
            here = {i + 1 for i in here if i < len(text)}
        else:
            literal = token[-1:]
            here = {i + 1 for i in here if text[i : i + 1] == literal}
        if not here:
            return False
    return len(text) in here


# --- The command ------------------------------------------------------------


def cases_of_vectors(data):
    """Turn a file of foreign vectors into (name, case, allowed) triples."""
    keys = {k["key_pair_id"]: k["public_pem"] for k in data["keys"].values()}
    for entry in data["cases"]:
        cookies = entry.get("cookies") or {}
        header = "; ".join("%s=%s" % pair for pair in cookies.items())
        for n, request in enumerate(entry["requests"], 1):
            case = {
                "url": request["url"],
                "cookies": [header] if header else [],
                "ip": request.get("ip", ""),
                "at": request["at"],
                "keys": keys,
            }
            yield "%s, request %d" % (entry["name"], n), case, {"allowed": request["allow"]}


def cases_of_lines(lines):
    for n, line in enumerate(lines, 1):
        if line.strip():
            case = json.loads(line)
            yield "line %d (%s)" % (n, case.get("tag", "")), case, case["expect"]


def compare(triples):
    """Print what differs and the totals; the exit code."""
    passed = failed = 0
    for name, case, want in triples:
        got = decide(case)
        # "why" is for people and not compared; "code" only if it is expected.
        if all(got[k] == want[k] for k in ("allowed", "code") if k in want):
            passed += 1
        else:
            failed += 1
            print("%s: want %s, got %s" % (name, json.dumps(want), json.dumps(got)))
    print("%d passed, %d failed" % (passed, failed))
    return 0 if failed == 0 and passed > 0 else 1


def main():
    parser = argparse.ArgumentParser(description="a naive second opinion on signed requests")
    parser.add_argument("--vectors", metavar="FILE", help="run a file of foreign vectors")
    parser.add_argument("--check", action="store_true", help='compare stdin with its "expect"')
    args = parser.parse_args()
    if args.vectors:
        with open(args.vectors, encoding="utf-8") as f:
            return compare(cases_of_vectors(json.load(f)))
    if args.check:
        return compare(cases_of_lines(sys.stdin))
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(decide(json.loads(line))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
