#!/usr/bin/env python3
"""A foreign verifier of bare signatures: Python's cryptography. See verify.mjs.

  verify.py < signatures.jsonl

In:  {"policy": "<base64 of the exact bytes>", "signature": "<CloudFront
     base64>", "hash": "SHA1|SHA256", "public_pem": "..."}, one a line
Out: {"ok": bool}, one a line

Only the mathematics is checked: RSA with PKCS#1 v1.5, ECDSA in DER. Whether
CloudFront takes that key with that hash is not this program's business.
"""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from naive import cloudfront_base64

HASHES = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256()}


def ok(line):
    try:
        digest = HASHES[line["hash"]]
        policy = base64.b64decode(line["policy"], validate=True)
        signature = cloudfront_base64(line["signature"])
        key = serialization.load_pem_public_key(line["public_pem"].encode())
        if signature is None or base64.b64encode(policy).decode() != line["policy"]:
            return False
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, policy, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, policy, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True


def main():
    for line in sys.stdin:
        if line.strip():
            print(json.dumps({"ok": ok(json.loads(line))}), flush=True)


if __name__ == "__main__":
    main()
