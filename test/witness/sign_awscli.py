#!/usr/bin/env python3
"""Signed URLs made by the AWS CLI, and what to expect.

  sign_awscli.py --aws /path/to/aws [--count 10] [--seed 1] | naive.py --check

The AWS CLI that PyPI has under the name awscli is version 1. Its only signing
command is `aws cloudfront sign`: URLs, RSA, SHA-1, and a private key in PKCS#1
form. It has no `sign-cookies` and no `--hash-algorithm` (looked for in 1.46.3);
neither has version 2.38.5. So cookies of the AWS CLI are not among the cases.
It cannot sign a wildcard: the URL is the Resource, and only a start time or an
address range makes the policy a custom one.

A run of the CLI takes about a second, hence the small count.
"""

import argparse
import os
import random
import subprocess
import tempfile

from signed_cases import Key, Wish, cases


def main():
    parser = argparse.ArgumentParser(description="cases signed by the AWS CLI")
    parser.add_argument("--aws", default="aws", help="the aws program, version 1")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    key = Key("K2RSACLI", "rsa")

    with tempfile.TemporaryDirectory() as folder:
        private = os.path.join(folder, "private.pem")
        with open(private, "wb") as f:
            f.write(key.private_pkcs1())
        for _ in range(args.count):
            wish = Wish(rng, custom=rng.random() < 0.7)
            command = [
                args.aws, "cloudfront", "sign", "--url", wish.url, "--key-pair-id", key.id,
                "--private-key", "file://" + private, "--date-less-than", str(wish.end),
            ]  # fmt: skip
            if wish.start is not None:
                command += ["--date-greater-than", str(wish.start)]
            if wish.ip is not None:
                command += ["--ip-address", wish.ip]
            url = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            custom = wish.start is not None or wish.ip is not None
            tag = "awscli %s" % ("custom" if custom else "canned")
            for line in cases(tag, rng, wish, key, url, [], False):
                print(line)


if __name__ == "__main__":
    main()
