#!/usr/bin/env node
// A foreign verifier of bare signatures: Node's crypto. See verify.py.
//
//   node verify.mjs < signatures.jsonl
//
// In:  {"policy": "<base64 of the exact bytes>", "signature": "<CloudFront
//      base64>", "hash": "SHA1|SHA256", "public_pem": "..."}, one a line
// Out: {"ok": bool}, one a line
//
// Only the mathematics is checked: RSA with PKCS#1 v1.5, ECDSA in DER. Whether
// CloudFront takes that key with that hash is not this program's business.

import { createPublicKey, verify } from "node:crypto";
import { createInterface } from "node:readline";

// The bytes behind base64, in the alphabet given; strict, unlike Node's.
function decode(text, alphabet) {
  if (typeof text !== "string" || !alphabet.test(text)) throw new Error("not base64");
  const standard = text.replaceAll("-", "+").replaceAll("_", "=").replaceAll("~", "/");
  const bytes = Buffer.from(standard, "base64");
  if (bytes.toString("base64") !== standard) throw new Error("not canonical base64");
  return bytes;
}

function ok({ policy, signature, hash, public_pem }) {
  try {
    if (hash !== "SHA1" && hash !== "SHA256") return false;
    const key = createPublicKey(public_pem);
    if (key.asymmetricKeyType !== "rsa" && key.asymmetricKeyType !== "ec") return false;
    // The defaults are PKCS#1 v1.5 for RSA keys and DER for EC keys.
    return verify(
      hash,
      decode(policy, /^[A-Za-z0-9+/]*={0,2}$/),
      key,
      decode(signature, /^[A-Za-z0-9\-~]*_{0,2}$/),
    );
  } catch {
    return false;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim()) console.log(JSON.stringify({ ok: ok(JSON.parse(line)) }));
}
