/**
 * The handstamp browser client: show a ticket once, then just play.
 *
 *   import { HandstampClient } from "/app/client.js";
 *
 *   const client = new HandstampClient();
 *   await client.restore();                  // an earlier visit that still runs?
 *   await client.verify("K7Q2-M9XD");        // the browser keeps the cookies by itself
 *   client.attach(document.querySelector("audio"));
 *   client.addEventListener("change", () => paint(client.allows("castle", "audio")));
 *
 * The gateway answers with cookies that scripts cannot read. They live for
 * minutes; the client renews them before they expire, and only one tab does so
 * for all. What a script sees is the admission, the grants and their times.
 *
 * No dependencies. Needs fetch and ES modules; uses Web Locks and
 * BroadcastChannel where the browser has them.
 *
 * @module
 */

/**
 * @typedef {object} Grant one part of the content that is open
 * @property {string} attraction id of the attraction
 * @property {string} package    id of the package
 * @property {string} resource   the URLs it opens, ending in an asterisk
 * @property {string} cookie_path path of its cookies
 * @property {string} expires_at end of its cookies, RFC 3339; renewal moves it on
 */

/**
 * @typedef {object} Pass the gateway's answer to verify, renew and restore
 * @property {{id: string, state: string, ends_at: string}} admission the visit
 * @property {Grant[]} grants
 * @property {number} refresh_after seconds until the cookies want renewal
 * @property {string} server_time RFC 3339
 */

const JSON_TYPE = "application/json";
const TIMEOUT = 8_000; // for one request, milliseconds: two more tries at a lost renewal while the old session still counts, for 30 s
const LONGEST_PAUSE = 60; // between two attempts to renew, seconds
const LONGEST_TIMER = 2 ** 31 - 1; // what setTimeout can hold, milliseconds
const RECOVERED_AFTER = 2; // seconds of play after which a media element counts as well again

/** What went wrong, in the words of the gateway's problem reply (RFC 9457) if there is one. */
export class HandstampError extends Error {
  /**
   * @param {object} facts
   * @param {number} facts.status HTTP status; 0 if there was no answer, or a success that is not the gateway's
   * @param {string} facts.code stable code such as "ticket_not_accepted"; "offline" if status is 0
   * @param {string} [facts.title]
   * @param {string} [facts.detail]
   * @param {string} [facts.requestId] what support asks for
   * @param {number} [facts.retryAfter] seconds, if the gateway gave a time
   */
  constructor({ status, code, title = "", detail = "", requestId = "", retryAfter }) {
    super(detail || title || code);
    this.name = "HandstampError";
    Object.assign(this, { status, code, title, detail, requestId, retryAfter });
  }
}

/**
 * Events, all of them CustomEvent:
 *
 * - `change`: what is open has changed (also by another tab).
 * - `end`, detail `{reason, error}`: the visit is over. reason is "left",
 *   "refused" (the gateway says 401) or "expired" (the cookies ran out and could not be renewed).
 * - `trouble`, detail `{error, retryAt}`: a renewal failed for now and is tried again at retryAt (a Date).
 * - `lost`, detail `{media, error}`: an attached media element failed and could not be brought back.
 */
export class HandstampClient extends EventTarget {
  #base;
  #fetch;
  #pass = null;
  #version = 0; // counts answers, ours and other tabs'; tells whether another tab was faster
  #skew = 0; // server's clock minus ours, milliseconds
  #renewAt = Infinity; // by our clock, milliseconds
  #renewable = true;
  #failures = 0;
  #running = null; // the renewal under way
  #request = null; // a ticket whose answer was lost: what was asked, and under which key
  #timers = { renew: 0, expiry: 0 };
  #channel = null;

  /**
   * @param {object} [options]
   * @param {string} [options.base] origin of the API; empty means this page's
   * @param {typeof fetch} [options.fetch] for tests and wrappers
   */
  constructor({ base = "", fetch: ask = (...args) => fetch(...args) } = {}) {
    super();
    this.#base = base.replace(/\/+$/, "");
    this.#fetch = ask;
    if ("BroadcastChannel" in globalThis) {
      this.#channel = new BroadcastChannel(this.#name);
      this.#channel.onmessage = ({ data }) => this.#hear(data);
    }
    // Timers sleep while a phone is locked: look again when somebody looks at us.
    for (const event of ["online", "pageshow"]) globalThis.addEventListener?.(event, () => this.#wake());
    globalThis.document?.addEventListener("visibilitychange", () => document.hidden || this.#wake());
  }

  /** @returns {Pass|null} the visit, or null before the first ticket and after the end */
  get pass() {
    return this.#pass;
  }

  /** @returns {Grant[]} what is open at this moment */
  get grants() {
    const now = this.now();
    return (this.#pass?.grants ?? []).filter((grant) => Date.parse(grant.expires_at) > now);
  }

  /** @returns {number} the gateway's time, milliseconds since 1970 */
  now() {
    return Date.now() + this.#skew;
  }

  /**
   * Tells whether a package is open. Free content ("" as package) always is.
   * @param {string} attraction
   * @param {string} pack
   */
  allows(attraction, pack) {
    return !pack || this.grants.some((grant) => grant.attraction === attraction && grant.package === pack);
  }

  /**
   * Trades a ticket for cookies. Doing it again after a lost answer takes no second seat.
   * @param {string} ticket as printed; spaces around it do not matter
   * @param {{attraction?: string, factors?: Record<string, string>}} [more]
   * @returns {Promise<Pass>}
   * @throws {HandstampError} status 403 if the ticket was refused; 0, 429 or 503 if nobody could tell
   */
  async verify(ticket, more = {}) {
    const body = { ticket: ticket.trim(), ...more };
    const what = JSON.stringify(body);
    if (this.#request?.what !== what) this.#request = { what, key: randomKey() };
    try {
      const pass = await this.#call("POST", "/v1/tickets/verify", body, { "Idempotency-Key": this.#request.key });
      this.#request = null;
      return this.#accept(pass);
    } catch (error) {
      if (error.status !== 0 && error.status < 500) this.#request = null; // it was answered
      throw error;
    }
  }

  /**
   * Takes up a visit that began earlier in this browser.
   * @returns {Promise<Pass|null>} null if there is none
   * @throws {HandstampError} if nobody could tell
   */
  async restore() {
    try {
      this.#accept(await this.#call("GET", "/v1/admission"), false); // says nothing of the cookies: no news for other tabs
    } catch (error) {
      if ([401, 404, 405].includes(error.status)) return null;
      throw error;
    }
    if (!this.grants.length || !(this.#pass.refresh_after > 0)) {
      await this.renew().catch(() => {}); // told by events
    }
    return this.#pass;
  }

  /**
   * Fetches fresh cookies now. Not needed in normal use: the client does it in
   * time. Calls that overlap, in this tab or another, make one request.
   * @returns {Promise<Pass|null>}
   */
  renew() {
    this.#running ??= this.#alone(this.#version).finally(() => (this.#running = null));
    return this.#running;
  }

  /**
   * Ends the visit on this device: the gateway clears its cookies.
   * @throws {HandstampError} if it did not; the visit goes on
   */
  async leave() {
    try {
      await this.#call("DELETE", "/v1/admission");
    } catch (error) {
      if (![401, 404].includes(error.status)) throw error; // these two: there is no visit
    }
    this.#end("left", null, true);
  }

  /**
   * Looks after an audio or video element with a src attribute: when it fails, the cookies are renewed
   * once and it goes on at the same position; if that does not help, `lost` is sent.
   * @param {HTMLMediaElement} media
   * @param {{paid?: () => boolean}} [options] paid tells whether the source needs cookies; always, if left out
   * @returns {() => void} lets go of the element
   */
  attach(media, { paid = () => true } = {}) {
    let source = "";
    let position = 0;
    let wanted = false; // to be heard; browsers differ in whether a failure pauses
    let since = -1; // position at which it was brought back; -1 means that it is well
    const start = () => {
      if (media.src === source) return; // brought back, not changed
      [source, position, since] = [media.src, 0, -1];
    };
    const progress = () => {
      if (media.error || media.readyState === 0) return;
      position = media.currentTime;
      if (since >= 0 && position > since + RECOVERED_AFTER) since = -1;
    };
    const fail = async () => {
      const error = media.error;
      const lost = (cause) => {
        since = -1; // the next try, by hand, starts afresh
        this.#tell("lost", { media, error: cause });
      };
      if (!media.getAttribute("src")) return;
      if (since >= 0 || !paid() || !this.#pass) return lost(error);
      const [failed, at] = [media.src, position];
      since = at;
      try {
        await this.renew();
      } catch (cause) {
        return media.src === failed && lost(cause);
      }
      if (media.src === failed) resume(media, at, wanted);
    };
    const play = () => (wanted = true);
    const pause = () => (wanted &&= Boolean(media.error));
    const handlers = { loadstart: start, timeupdate: progress, error: fail, play, pause };
    for (const [event, handler] of Object.entries(handlers)) media.addEventListener(event, handler);
    return () => {
      for (const [event, handler] of Object.entries(handlers)) media.removeEventListener(event, handler);
    };
  }

  get #name() {
    return `handstamp ${this.#base}`;
  }

  /** Renews under a lock that all tabs share, unless another one was faster than version. */
  async #alone(version) {
    const work = async () => {
      await sleep(50); // news from the tab that had the lock before us
      if (this.#version !== version) return this.#pass;
      return this.#renewNow();
    };
    return navigator.locks ? navigator.locks.request(this.#name, work) : work();
  }

  async #renewNow() {
    const version = this.#version;
    try {
      const pass = await this.#call("POST", "/v1/admission/renew");
      // A visitor who left or showed another ticket meanwhile has the last word.
      return this.#version === version ? this.#accept(pass) : this.#pass;
    } catch (error) {
      if (this.#version === version) this.#renewFailed(error);
      throw error;
    }
  }

  #renewFailed(error) {
    if (error.status === 401) return this.#end("refused", error, true); // a 403 is a firewall's, or about the page
    if (error.status === 404 || error.status === 405) {
      this.#renewable = false; // a gateway that cannot: the cookies last as long as they last
      this.#renewAt = Infinity;
      return this.#expire();
    }
    const pause = Math.min(LONGEST_PAUSE, 2 ** (this.#failures + 1)) * (0.75 + Math.random() / 2);
    const wait = Math.max(pause, error.retryAfter ?? 0);
    const { status, code } = error;
    this.#channel?.postMessage({ trouble: { status, code, wait } });
    this.#backOff(error, wait);
  }

  /** Tries again in so many seconds. Another tab that waits for the lock need not try as well. */
  #backOff(error, wait) {
    this.#failures++;
    this.#version++;
    this.#plan(wait);
    this.#tell("trouble", { error, retryAt: new Date(this.#renewAt) });
  }

  /** Makes pass the state of this tab, and of the others if the news is ours. */
  #accept(pass, ours = true) {
    this.#pass = pass;
    this.#version++;
    this.#failures = 0;
    this.#renewable = true;
    this.#skew = (Date.parse(pass.server_time) || Date.now()) - Date.now();
    // A little early and not all at once: a crowd came through the gate together.
    this.#plan(pass.refresh_after > 0 ? pass.refresh_after * (0.92 + Math.random() * 0.06) : Infinity);
    this.#watchExpiry();
    if (ours) this.#channel?.postMessage({ pass });
    this.#tell("change");
    return pass;
  }

  #end(reason, error, ours) {
    if (!this.#pass && reason !== "left") return;
    this.#pass = null;
    this.#version++;
    this.#plan(Infinity);
    clearTimeout(this.#timers.expiry);
    if (ours) this.#channel?.postMessage({ end: reason });
    this.#tell("end", { reason, error });
    this.#tell("change");
  }

  #hear({ pass, end, trouble }) {
    if (pass) this.#accept(pass, false);
    if (end) this.#end(end, null, false);
    if (trouble && this.#pass) this.#backOff(new HandstampError(trouble), trouble.wait + Math.random());
  }

  /** Sets the next renewal, in seconds from now; Infinity means none. */
  #plan(seconds) {
    clearTimeout(this.#timers.renew);
    this.#renewAt = Date.now() + seconds * 1000;
    if (!Number.isFinite(seconds)) return;
    this.#timers.renew = setTimeout(() => this.#wake(), Math.min(seconds * 1000, LONGEST_TIMER));
  }

  #wake() {
    if (!this.#pass) return;
    if (Date.now() >= this.#renewAt - 20) this.renew().catch(() => {}); // told by events
    this.#expire();
  }

  /** Says so when a grant runs out, so that nothing looks open that is not. */
  #watchExpiry() {
    clearTimeout(this.#timers.expiry);
    const next = Math.min(...this.grants.map((grant) => Date.parse(grant.expires_at)));
    if (!Number.isFinite(next)) return;
    this.#timers.expiry = setTimeout(() => this.#expire(), Math.min(next - this.now() + 50, LONGEST_TIMER));
  }

  #expire() {
    if (!this.#pass) return;
    if (!this.grants.length && !this.#renewable) return this.#end("expired", null, false);
    this.#watchExpiry();
    this.#tell("change");
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  async #call(method, path, body, more = {}) {
    let response, data;
    try {
      response = await this.#fetch(this.#base + path, {
        method,
        body: body && JSON.stringify(body),
        headers: method === "GET" ? { Accept: JSON_TYPE } : { Accept: JSON_TYPE, "Content-Type": JSON_TYPE, ...more },
        credentials: "include",
        cache: "no-store",
        signal: AbortSignal.timeout?.(TIMEOUT),
      });
      data = await decode(response);
      if (response.ok && response.status !== 204 && !data.admission) throw new TypeError("not the gateway's answer");
    } catch {
      throw new HandstampError({ status: 0, code: "offline" });
    }
    if (response.ok) return data;
    throw new HandstampError({
      status: response.status,
      code: data.code ?? (response.status >= 500 ? "unavailable" : "unexpected"),
      title: data.title,
      detail: data.detail,
      requestId: data.request_id ?? response.headers.get("X-Request-Id") ?? "",
      retryAfter: seconds(response.headers.get("Retry-After")),
    });
  }
}

/** A key that no other request has. */
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Reads a JSON body; an answer of another type, such as a proxy's error page, counts as empty. */
async function decode(response) {
  const json = /^application\/([\w.-]+\+)?json\b/.test(response.headers.get("Content-Type") ?? "");
  return (json && (await response.json())) || {};
}

/** Loads the source of media again and goes on at a position. */
function resume(media, position, playing) {
  const seek = () => (media.currentTime = position);
  media.addEventListener("loadedmetadata", seek, { once: true });
  media.src = media.src;
  media.load();
  if (playing) media.play().catch(() => {}); // a failure comes as an error event
}

/** Retry-After as seconds: a number or an HTTP date. */
function seconds(header) {
  if (!header) return undefined;
  const value = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(value) ? Math.max(0, value) : undefined;
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
