#!/usr/bin/env node
// Signed requests made by @aws-sdk/cloudfront-signer, and what to expect.
//
//   npm ci
//   node sign.mjs [--count 50] [--seed 1] | python3 naive.py --check
//
// Writes cases as naive.py reads them, some ten for each of `count`
// signatures: cookies and URLs, canned and custom, SHA-1 and SHA-256, RSA and
// (unadvertised, but it works) ECDSA. The expectation does not come from
// naive.py: it follows from what was signed and what was done to the request
// afterwards. The keys are new in every run; the seed decides the rest.

import { generateKeyPairSync } from "node:crypto";
import { parseArgs } from "node:util";
import { getSignedCookies, getSignedUrl } from "@aws-sdk/cloudfront-signer";

const { values: args } = parseArgs({
  options: {
    count: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
  },
});

// A small seeded generator of numbers below 1 (mulberry32).
let state = Number(args.seed) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const chance = (p) => random() < p;

function makeKey(id, type, options) {
  const { publicKey, privateKey } = generateKeyPairSync(type, {
    ...options,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return { id, type, publicKey, privateKey };
}
const KEYS = [
  makeKey("K2RSANODE", "rsa", { modulusLength: 2048 }),
  makeKey("K3ECNODE", "ec", { namedCurve: "P-256" }),
];

const NOW = 1795000000;
const HOSTS = ["media.example.org", "d111111abcdef8.cloudfront.net"];
const FOLDERS = ["/", "/castle/", "/castle/audio/", "/caf%C3%A9/", "/x_y/~z/"];
const FILES = ["01.m4a", "map.pdf", "seg-1.m4s", "index.m3u8", "A.MP3"];
const QUERIES = ["", "", "x=1", "lang=en&v=2", "q=a%20b", "q=a+b", "e=", "d=%2Fe"];

function emit(tag, request, allowed) {
  console.log(JSON.stringify({ tag, ...request, expect: { allowed } }));
}

function cookieHeader(cookies) {
  return Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join("; ");
}

// The signature with one of its first characters changed.
function changeSignature(text) {
  const i = text.indexOf("Signature=") + "Signature=".length + below(60);
  return text.slice(0, i) + (text[i] === "A" ? "B" : "A") + text.slice(i + 1);
}

for (let n = 0; n < Number(args.count); n++) {
  const key = pick(KEYS);
  const algorithm = pick(["SHA1", "SHA256"]);
  const kind = pick(["cookies", "url"]);
  // "policy": a custom policy of ours with a wildcard. "custom" and "canned":
  // the signer writes the policy, for the one URL, with or without a start
  // time or an address.
  const form = pick(["policy", "custom", "canned"]);

  const host = pick(HOSTS);
  const origin = pick(["https://", "https://", "http://"]) + host;
  const folder = pick(FOLDERS);
  const file = pick(FILES);
  const query = pick(QUERIES);
  const url = origin + folder + file + (query ? "?" + query : "");
  const at = NOW + below(100000);
  const end = at + pick([1, 60, 86400]);
  const start = at - pick([1, 60]);
  const viewer = `192.0.2.${1 + below(254)}`;
  const ipAddress = pick([viewer, "192.0.2.0/24", "192.0.0.0/16"]);
  const withIp = form !== "canned" && chance(0.5);
  const withStart = form !== "canned" && (chance(0.5) || (form === "custom" && !withIp));

  const request = { keyPairId: key.id, privateKey: key.privateKey, algorithm };
  if (form === "policy") {
    const condition = { DateLessThan: { "AWS:EpochTime": end } };
    if (withStart) condition.DateGreaterThan = { "AWS:EpochTime": start };
    if (withIp) {
      const range = ipAddress.includes("/") ? ipAddress : ipAddress + "/32";
      condition.IpAddress = { "AWS:SourceIp": range };
    }
    const statement = { Resource: origin + pick([folder, "/"]) + "*", Condition: condition };
    request.policy = JSON.stringify({ Statement: [statement] }, null, pick([0, 2]));
    if (kind === "url") request.url = url;
  } else {
    request.url = url;
    request.dateLessThan = new Date(end * 1000).toISOString();
    if (withStart) request.dateGreaterThan = new Date(start * 1000).toISOString();
    if (withIp) request.ipAddress = ipAddress;
  }

  const base = { url, cookies: [], ip: viewer, at, keys: { [key.id]: key.publicKey } };
  if (kind === "url") base.url = getSignedUrl(request);
  else base.cookies = [cookieHeader(getSignedCookies(request))];

  // ECDSA with SHA-1 is refused by choice; see naive.py.
  const allowed = !(key.type === "ec" && algorithm === "SHA1");

  const tag = `js ${kind}/${form}/${key.type}/${algorithm}`;
  emit(`${tag} valid`, base, allowed);
  emit(`${tag} last second`, { ...base, at: end - 1 }, allowed);
  emit(`${tag} expired`, { ...base, at: end }, false);
  if (withStart) emit(`${tag} not yet`, { ...base, at: start }, false);
  if (withIp) {
    emit(`${tag} other viewer`, { ...base, ip: "198.51.100.1" }, false);
    emit(`${tag} IPv6 viewer`, { ...base, ip: "2001:db8::1" }, false);
    emit(`${tag} IPv4 viewer as IPv6`, { ...base, ip: "::ffff:" + viewer }, allowed);
  }
  emit(`${tag} other host`, { ...base, url: base.url.replace(host, "x" + host) }, false);
  const scheme = origin.startsWith("https:") ? ["https:", "http:"] : ["http:", "https:"];
  emit(`${tag} other scheme`, { ...base, url: base.url.replace(...scheme) }, false);
  const otherFile = { ...base, url: base.url.replace(file, "other/" + file) };
  emit(`${tag} other file`, otherFile, allowed && form === "policy");
  emit(`${tag} unknown key`, { ...base, keys: { K0OTHER: key.publicKey } }, false);
  const changed = {
    ...base,
    url: kind === "url" ? changeSignature(base.url) : base.url,
    cookies: base.cookies.map(changeSignature),
  };
  emit(`${tag} changed signature`, changed, false);
  // The marker taken away, or added where it does not belong.
  const marked = { ...base };
  if (algorithm === "SHA256") {
    marked.url = base.url.replace(/&Hash-Algorithm=SHA256/, "");
    marked.cookies = base.cookies.map((c) => c.replace("; CloudFront-Hash-Algorithm=SHA256", ""));
  } else if (kind === "url") {
    marked.url += "&Hash-Algorithm=SHA256";
  } else {
    marked.cookies = [...base.cookies, "CloudFront-Hash-Algorithm=SHA256"];
  }
  emit(`${tag} wrong marker`, marked, false);
}
