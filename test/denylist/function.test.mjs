// The function at the edge, with a store that is a table: node --test test/denylist/function.test.mjs
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

const source = readFileSync(new URL("../../deploy/denylist/function.js", import.meta.url), "utf8");
const cases = JSON.parse(readFileSync(new URL("cases.json", import.meta.url)));
const revoked = Number(cases.entries["handstamp:p:castle"]);
const COOKIE = "handstamp_admission";

// A table is a store: get fails for what is not there, as at CloudFront.
function table(entries) {
  const store = {
    reads: [],
    async exists(key) {
      store.reads.push(key);
      return Object.hasOwn(entries, key);
    },
    async get(key) {
      if (!Object.hasOwn(entries, key)) throw new Error("KeyNotFound");
      return entries[key];
    },
  };
  return store;
}

// load returns the handler of the function, with constants changed.
function load(store, constants = {}) {
  let text = source;
  const replace = (what, by) => {
    assert.ok(text.includes(what), `the function has no ${what}`);
    text = text.replace(what, by);
  };
  replace("import cf from 'cloudfront';", "");
  if ("session" in constants) replace("const SESSION_COOKIE = '';", `const SESSION_COOKIE = '${constants.session}';`);
  if ("open" in constants) replace("const FAIL_OPEN = true;", `const FAIL_OPEN = ${constants.open};`);
  const log = [];
  const make = new Function("cf", "require", "console", `"use strict"; ${text}; return handler;`);
  const handler = make({ kvs: () => store }, createRequire(import.meta.url), { log: (line) => log.push(line) });
  return { handler, log };
}

// encode does what CloudFront asks for: base64 without +, = and /.
const encode = (text) => Buffer.from(text).toString("base64").replace(/\+/g, "-").replace(/=/g, "_").replace(/\//g, "~");

const policyText = (resource, expires) =>
  JSON.stringify({ Statement: [{ Resource: resource, Condition: { DateLessThan: { "AWS:EpochTime": expires } } }] });

const policy = (resource, expires) => encode(policyText(resource, expires));

// fields builds what an event has for cookies or a query: several values of one
// name are in multiValue, and value is one of them.
function fields(pairs) {
  const all = {};
  for (const [name, value] of pairs) {
    if (!all[name]) all[name] = { value };
    else all[name] = { value: all[name].value, multiValue: [...(all[name].multiValue ?? [{ value: all[name].value }]), { value }] };
  }
  return all;
}

const request = (uri, cookies = [], query = []) =>
  ({ method: "GET", uri, headers: {}, cookies: fields(cookies), querystring: fields(query) });

async function denied(handler, r) {
  const before = structuredClone(r);
  const result = await handler({ version: "1.0", context: { eventType: "viewer-request" }, viewer: { ip: "192.0.2.1" }, request: r });
  if (result === r) {
    assert.deepEqual(r, before, "the request must pass as it came");
    return false;
  }
  assert.equal(result.statusCode, 403);
  assert.equal(result.headers["cache-control"].value, "no-store");
  assert.equal(JSON.parse(result.body).code, "revoked");
  return true;
}

const castle = { "handstamp:p:castle": String(revoked) };
const audio = "https://media.example.org/castle/audio/*";
const file = "/castle/audio/01.m4a";
const old = ["CloudFront-Policy", policy(audio, revoked)];
const fresh = ["CloudFront-Policy", policy(audio, revoked + 60)];

for (const c of cases.requests) {
  test(`with what the exporter writes: ${c.says}`, async () => {
    const { handler } = load(table(cases.entries));
    assert.equal(await denied(handler, request(c.uri, [["CloudFront-Policy", policy(c.resource, c.expires)]])), c.denied);
  });
}

const prefixCases = [
  ["nothing is revoked", {}, request(file, [old]), false],
  ["old cookies", castle, request(file, [old]), true],
  ["fresh cookies", castle, request(file, [fresh]), false],
  ["nothing to read", castle, request(file), true],
  ["nothing to read, elsewhere", castle, request("/zoo/01.m4a"), false],
  ["a policy that is no base64", castle, request(file, [["CloudFront-Policy", "%%%"]]), true],
  ["a policy that is no JSON", castle, request(file, [["CloudFront-Policy", encode("castle")]]), true],
  ["a policy that is null", castle, request(file, [["CloudFront-Policy", encode("null")]]), true],
  ["an end in quotes", castle, request(file, [["CloudFront-Policy", policy(audio, String(revoked + 60))]]), true],
  ["an empty policy", castle, request(file, [["CloudFront-Policy", ""]]), true],
  ["two statements", castle,
    request(file, [["CloudFront-Policy", encode(JSON.stringify({ Statement: [0, 1].map(() => JSON.parse(policyText(audio, revoked + 60)).Statement[0]) }))]]), true],
  ["fresh and old cookies, both ways", castle, request(file, [fresh, old]), true],
  ["old and fresh cookies, both ways", castle, request(file, [old, fresh]), true],
  ["an old signed URL", castle, request(file, [], [["Policy", old[1]], ["Signature", "x"]]), true],
  ["a fresh signed URL", castle, request(file, [], [["Policy", fresh[1]], ["Signature", "x"]]), false],
  ["a fresh signed URL with old cookies", castle, request(file, [old], [["Policy", fresh[1]]]), true],
  ["an old canned URL", castle, request(file, [], [["Expires", String(revoked)]]), true],
  ["a fresh canned URL", castle, request(file, [], [["Expires", String(revoked + 60)]]), false],
  ["a canned URL that makes no sense", castle, request(file, [], [["Expires", "soon"]]), true],
  ["one that makes no sense, then a fresh one", castle, request(file, [], [["Expires", "soon"], ["Expires", String(revoked + 60)]]), true],
  ["a canned cookie", castle, request(file, [["CloudFront-Expires", String(revoked)]]), true],
  ["the path of the attraction itself", castle, request("/castle/", [old]), true],
  ["a file beside the attraction", castle, request("/castle", [["CloudFront-Policy", policy("https://media.example.org/*", revoked)]]), false],
  ["a policy for everything", castle, request(file, [["CloudFront-Policy", policy("https://media.example.org/*", revoked)]]), true],
  ["a policy without a scheme", castle, request("/x/01.m4a", [["CloudFront-Policy", policy("castle/audio/*", revoked)]]), false],
  ["escaped slashes", castle, request("/castle%2faudio%2f01.m4a", [old]), true],
  ["upper case", castle, request("/CASTLE/audio/01.m4a", [fresh]), false],
  ["a nested prefix", { "handstamp:p:spain/zoo": String(revoked) },
    request("/spain/zoo/a.m4a", [["CloudFront-Policy", policy("https://m.example.org/spain/zoo/*", revoked)]]), true],
  ["its neighbour", { "handstamp:p:spain/zoo": String(revoked) },
    request("/spain/museum/a.m4a", [["CloudFront-Policy", policy("https://m.example.org/spain/museum/*", revoked)]]), false],
  ["eight folders deep", { "handstamp:p:1/2/3/4/5/6/7/8": String(revoked) }, request("/1/2/3/4/5/6/7/8/a.m4a", [old]), true],
  ["twenty folders deep", {}, request("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/a.m4a", [fresh]), false],
  ["a value that makes no sense", { "handstamp:p:castle": "closed" }, request(file, [fresh]), true],
  ["names that every object has", {}, request("/constructor/toString/a.m4a"), false],
];

for (const [says, entries, r, want] of prefixCases) {
  test(`prefix: ${says}`, async () => {
    const { handler, log } = load(table(entries));
    assert.equal(await denied(handler, r), want);
    assert.deepEqual(log, []);
  });
}

test("a look-up for each folder, each once", async () => {
  const store = table({});
  assert.equal(await denied(load(store).handler, request("/castle/audio/en/01.m4a", [fresh])), false);
  assert.deepEqual(store.reads, ["handstamp:p:castle", "handstamp:p:castle/audio", "handstamp:p:castle/audio/en"]);
});

test("made-up policies do not make work without end", async () => {
  const store = table({});
  const many = Array.from({ length: 5 }, (_, i) => ["CloudFront-Policy", policy(`https://m.example.org/${i}/2/3/4/5/6/7/8/*`, revoked)]);
  assert.equal(await denied(load(store).handler, request(file, many)), true);
  assert.equal(store.reads.length, 0);
});

const away = { async exists() { throw new Error("away"); }, async get() { throw new Error("away"); } };

test("a store that fails lets visitors in, and says so", async () => {
  const { handler, log } = load(away);
  assert.equal(await denied(handler, request(file, [old])), false);
  assert.ok(log[0].includes("cannot read handstamp:p:castle") && !log.join().includes(old[1]), log.join());
});

test("unless it must not", async () => {
  assert.equal(await denied(load(away, { open: false }).handler, request(file, [fresh])), true);
});

test("a store that fails for one key is asked for the others", async () => {
  const store = table({ "handstamp:p:castle/audio": String(revoked) });
  const exists = store.exists;
  store.exists = async (key) => { if (key === "handstamp:p:castle") throw new Error("away"); return exists(key); };
  assert.equal(await denied(load(store).handler, request(file, [old])), true);
});

const gone = cases.session;
const sessionEntries = Object.fromEntries(Object.entries(cases.entries).filter(([key]) => key.startsWith("handstamp:s:")));
const sessionCases = [
  ["alive", [[COOKIE, "alive"]], false],
  ["revoked", [[COOKIE, gone]], true],
  ["none", [], true],
  ["empty", [[COOKIE, ""]], true],
  ["dots", [[COOKIE, "..."]], true],
  ["one of two revoked", [[COOKIE, `${gone}.alive`]], false],
  ["the same revoked one twice", [[COOKIE, `${gone}.${gone}`]], true],
  ["in two cookies", [[COOKIE, gone], [COOKIE, "alive"]], false],
  ["a fifth does not count", [[COOKIE, `${gone}.${gone}.${gone}.${gone}.alive`]], true],
  ["under another name", [["session", "alive"]], true],
  ["made up, which nobody can tell", [[COOKIE, "made-up"]], false],
];

for (const [says, cookies, want] of sessionCases) {
  test(`session: ${says}`, async () => {
    const { handler } = load(table(sessionEntries), { session: COOKIE });
    assert.equal(await denied(handler, request(file, [fresh, ...cookies])), want);
  });
}

test("sessions are not looked at unless asked for", async () => {
  const store = table(sessionEntries);
  assert.equal(await denied(load(store).handler, request(file, [fresh, [COOKIE, gone]])), false);
  assert.ok(!store.reads.some((key) => key.startsWith("handstamp:s:")), store.reads.join());
});

test("sessions do not open a revoked prefix", async () => {
  const { handler } = load(table(cases.entries), { session: COOKIE });
  assert.equal(await denied(handler, request(file, [old, [COOKIE, "alive"]])), true);
});

// The runtime has no await in arguments or conditions; an older njs crashes on them.
test("every await stands by itself", () => {
  const code = source.replace(/^\s*\/\/.*$/gm, "");
  assert.equal(code.match(/^ *const \w+ = await [\w.]+\(.*\);$/gm)?.length, code.match(/\bawait\b/g).length);
});

test("the event for trying the function passes it while nothing is revoked", async () => {
  const event = JSON.parse(readFileSync(new URL("../../deploy/denylist/event.json", import.meta.url)));
  assert.equal(await load(table({})).handler(event), event.request);
  assert.equal((await load(table({ "handstamp:p:castle": "1782908160" })).handler(event)).statusCode, 403);
});

test("the function fits into 10 KB and keeps to one import", () => {
  assert.ok(Buffer.byteLength(source) <= 10240, `${Buffer.byteLength(source)} bytes`);
  assert.deepEqual(source.match(/^import .*$/gm), ["import cf from 'cloudfront';"]);
});
