"""What sign.py and sign_awscli.py share: keys, requests, and what to expect.

Here the expectation does not come from naive.py. A signer of AWS's own makes
the signature, and the verdict follows from what was signed and what was done
to the request afterwards.
"""

import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

NOW = 1_795_000_000

HOSTS = ["media.example.org", "d111111abcdef8.cloudfront.net"]
FOLDERS = ["/", "/castle/", "/castle/audio/", "/caf%C3%A9/", "/a%20b/it's/", "/x_y/~z/"]
FILES = ["01.m4a", "map.pdf", "seg-1.m4s", "index.m3u8", "A.MP3"]
QUERIES = ["", "", "x=1", "lang=en&v=2", "q=a%20b", "q=a+b", "e=", "a=b=c&d=%2Fe", "t=12:30"]


class Key:
    """A fresh key pair with an ID."""

    def __init__(self, key_id, kind):
        self.id = key_id
        self.is_ec = kind == "ec"
        if self.is_ec:
            self.private = ec.generate_private_key(ec.SECP256R1())
        else:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public_pem(self):
        return (
            self.private.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )

    def private_pkcs1(self):
        return self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    def signer(self, hash_name):
        """A function from bytes to a signature."""
        digest = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256()}[hash_name]
        if self.is_ec:
            return lambda message: self.private.sign(message, ec.ECDSA(digest))
        return lambda message: self.private.sign(message, padding.PKCS1v15(), digest)


class Wish:
    """What is to be signed, at random."""

    def __init__(self, rng, custom):
        self.origin = rng.choice(["https://", "https://", "http://"]) + rng.choice(HOSTS)
        self.folder, self.file = rng.choice(FOLDERS), rng.choice(FILES)
        query = rng.choice(QUERIES)
        self.url = self.origin + self.folder + self.file + ("?" + query if query else "")
        self.at = NOW + rng.randrange(100_000)
        self.end = self.at + rng.choice([1, 60, 86400])
        self.start = self.at - rng.choice([1, 60]) if custom and rng.random() < 0.5 else None
        self.viewer = "192.0.2.%d" % rng.randrange(1, 255)
        self.ip = None
        if custom and rng.random() < 0.5:
            self.ip = rng.choice([self.viewer, "192.0.2.0/24", "192.0.0.0/16", "0.0.0.0/0"])
        # What a custom policy says: the folder and all below, or all of the host.
        self.resource = self.origin + rng.choice([self.folder + "*", "/*"])


def cases(signer, rng, wish, key, url, cookies, custom, allowed=True):
    """The signed request as it is, and a few that must be refused.

    url is the whole signed URL, or the plain one beside cookies.
    """
    base = {
        "url": url,
        "cookies": cookies,
        "ip": wish.viewer,
        "at": wish.at,
        "keys": {key.id: key.public_pem()},
    }
    yield emit(signer + " valid", base, allowed)
    yield emit(signer + " last second", {**base, "at": wish.end - 1}, allowed)
    yield emit(signer + " expired", {**base, "at": wish.end}, False)
    if wish.start is not None:
        yield emit(signer + " not yet", {**base, "at": wish.start}, False)
    if wish.ip is not None:
        inside = wish.ip == "0.0.0.0/0"
        yield emit(signer + " other viewer", {**base, "ip": "198.51.100.1"}, allowed and inside)
        yield emit(signer + " IPv6 viewer", {**base, "ip": "2001:db8::1"}, False)
    host = wish.origin.split("://")[1]
    yield emit(signer + " other host", {**base, "url": url.replace(host, "x" + host, 1)}, False)
    yield emit(signer + " unknown key", {**base, "keys": {"K0OTHER": key.public_pem()}}, False)
    # Another file below the same folder: a custom policy does not mind.
    other = url.replace(wish.file, "other/" + wish.file, 1)
    yield emit(signer + " other file", {**base, "url": other}, allowed and custom)
    # One character of the signature changed, but not among the last ones,
    # where a change might be no base64 any more.
    sent = json.dumps([url, cookies])
    i = sent.index("Signature=") + len("Signature=") + rng.randrange(60)
    sent = sent[:i] + ("A" if sent[i] != "A" else "B") + sent[i + 1 :]
    changed_url, changed_cookies = json.loads(sent)
    changed = {**base, "url": changed_url, "cookies": changed_cookies}
    yield emit(signer + " changed signature", changed, False)


def emit(tag, case, allowed):
    return json.dumps({"tag": tag, **case, "expect": {"allowed": allowed}})
