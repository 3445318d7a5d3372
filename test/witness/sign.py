#!/usr/bin/env python3
"""Signed requests made by botocore's CloudFrontSigner, and what to expect.

  sign.py [--count 50] [--seed 1] | naive.py --check

Writes cases as naive.py reads them, some ten for each of `count` signatures.
botocore signs URLs only. It does not know of hash algorithms: the callback may
use SHA-256, but the marker is for the caller to add, so these cases come with
the marker (valid) and without it (refused). The callback may use ECDSA too.
The keys are new in every run; the seed decides the rest.
"""

import argparse
import datetime
import random

from botocore.signers import CloudFrontSigner

from signed_cases import Key, Wish, cases, emit


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def main():
    parser = argparse.ArgumentParser(description="cases signed by botocore")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    keys = [Key("K2RSABOTO", "rsa"), Key("K3ECBOTO", "ec")]

    for _ in range(args.count):
        key = rng.choice(keys)
        hash_name = rng.choice(["SHA1", "SHA256"])
        custom = rng.random() < 0.6
        wish = Wish(rng, custom)
        signer = CloudFrontSigner(key.id, key.signer(hash_name))
        if custom:
            policy = signer.build_policy(
                wish.resource,
                utc(wish.end),
                date_greater_than=utc(wish.start) if wish.start else None,
                ip_address=wish.ip,
            )
            url = signer.generate_presigned_url(wish.url, policy=policy)
        else:
            url = signer.generate_presigned_url(wish.url, date_less_than=utc(wish.end))

        tag = "botocore %s/%s/%s" % (
            "custom" if custom else "canned", "ec" if key.is_ec else "rsa", hash_name)  # fmt: skip
        if hash_name == "SHA256":
            bare = {"url": url, "cookies": [], "ip": wish.viewer, "at": wish.at}
            bare["keys"] = {key.id: key.public_pem()}
            print(emit(tag + " without marker", bare, False))
            url += "&Hash-Algorithm=SHA256"
        # ECDSA with SHA-1 is refused by choice; see naive.py.
        allowed = not (key.is_ec and hash_name == "SHA1")
        for line in cases(tag, rng, wish, key, url, [], custom, allowed):
            print(line)


if __name__ == "__main__":
    main()
