/** The player bar: one audio element, and the buttons around it. @module */

import { clock, setIcon, spoken } from "./view.js";

const SPEEDS = [1, 1.25, 1.5, 0.75];
const STEP = 15; // seconds
const HLS = "application/vnd.apple.mpegurl";

const $ = (id) => document.getElementById(id);

/**
 * Plays items of one attraction. Events: `change` when another item is chosen or
 * play and pause alternate.
 */
export class Player extends EventTarget {
  #audio = $("player");
  #queue = []; // items that can be played, in the order of the visit
  #item = null;
  #place = null;
  #dragging = false;

  constructor() {
    super();
    this.#buttons();
    this.#follow();
    this.#keys();
    this.#measure();
  }

  get item() {
    return this.#item;
  }

  get place() {
    return this.#place;
  }

  get playing() {
    return Boolean(this.#item) && !this.#audio.paused;
  }

  /** Sets what previous and next choose from. */
  queue(place, items) {
    if (this.#place && this.#place.id !== place.id) return; // another attraction plays on
    this.#queue = items;
    this.#paint();
  }

  /** Plays an item from the start, or pauses and resumes the one at hand. */
  toggle(place, item) {
    if (this.#item?.id === item.id && this.#place.id === place.id) {
      return this.#audio.paused ? this.#play() : this.#audio.pause();
    }
    this.#start(place, item);
  }

  /** Goes on with the plain file where a stream could not be played; tells whether there was one. */
  fallBack() {
    if (!this.#item || this.#audio.dataset.streaming !== "true") return false;
    const [at, playing] = [this.#audio.currentTime, !this.#audio.paused];
    this.#source(this.#item.url, false);
    this.#audio.addEventListener("loadedmetadata", () => (this.#audio.currentTime = at), { once: true });
    if (playing) this.#play();
    return true;
  }

  /** Takes the sound away and hides the bar. A focus that was on the bar goes to the stop. */
  stop() {
    const focused = $("bar").contains(document.activeElement);
    const row = document.querySelector(`[data-play="${CSS.escape(this.#item?.id ?? "")}"]`);
    this.#audio.pause();
    this.#item = this.#place = null;
    this.#audio.removeAttribute("src");
    this.#audio.load();
    $("bar").hidden = true;
    if (focused) (row ?? $("main")).focus({ preventScroll: true });
    if (navigator.mediaSession) navigator.mediaSession.metadata = null;
    this.#changed();
  }

  #start(place, item) {
    [this.#place, this.#item] = [place, item];
    $("bar").hidden = false;
    const streams = Boolean(item.stream_url) && this.#audio.canPlayType(HLS) !== "";
    this.#source(streams ? item.stream_url : item.url, streams);
    this.#play();
    this.#describe();
    this.#changed();
  }

  #source(url, streaming) {
    const rate = this.#audio.playbackRate;
    this.#audio.dataset.streaming = String(streaming);
    this.#audio.src = url;
    this.#audio.defaultPlaybackRate = this.#audio.playbackRate = rate;
  }

  #play() {
    if (this.#audio.error) this.#reload();
    this.#audio.play().catch(() => {}); // a failure comes as an error event
  }

  /** Loads the source anew after it failed for good, and keeps the position. */
  #reload() {
    const at = this.#audio.currentTime;
    this.#audio.load();
    this.#audio.addEventListener("loadedmetadata", () => (this.#audio.currentTime = at), { once: true });
  }

  #seek(seconds) {
    const end = Number.isFinite(this.#audio.duration) ? this.#audio.duration : Infinity;
    this.#audio.currentTime = Math.min(Math.max(0, seconds), end);
    this.#paint();
  }

  /** The item so many places away in the queue, if there is one. */
  #near(distance) {
    const here = this.#queue.findIndex((item) => item.id === this.#item?.id);
    return here < 0 ? undefined : this.#queue[here + distance];
  }

  #skip(distance) {
    const item = this.#near(distance);
    if (item) this.#start(this.#place, item);
  }

  #buttons() {
    const on = (id, act) => $(id).addEventListener("click", act);
    on("toggle", () => (this.#audio.paused ? this.#play() : this.#audio.pause()));
    on("rewind", () => this.#seek(this.#audio.currentTime - STEP));
    on("forward", () => this.#seek(this.#audio.currentTime + STEP));
    on("previous", () => this.#skip(-1));
    on("next", () => this.#skip(1));
    on("player-close", () => this.stop());
    on("speed", () => this.#speed());
    on("transcript-toggle", () => this.#transcript($("transcript").hidden));
    $("seek").addEventListener("input", () => {
      this.#dragging = true;
      this.#paint();
    });
    $("seek").addEventListener("change", () => {
      this.#dragging = false;
      this.#seek(Number($("seek").value));
    });
  }

  #follow() {
    for (const event of ["timeupdate", "durationchange", "seeked"]) this.#audio.addEventListener(event, () => this.#paint());
    for (const event of ["play", "pause", "ended"]) this.#audio.addEventListener(event, () => this.#changed());
    for (const [event, waiting] of [["waiting", true], ["playing", false], ["pause", false], ["error", false]]) {
      this.#audio.addEventListener(event, () => ($("bar").dataset.waiting = String(waiting)));
    }
    this.#paint();
  }

  /** Hardware keys, lock screens and headsets. */
  #keys() {
    const session = navigator.mediaSession;
    if (!session) return;
    const handlers = {
      play: () => this.#play(),
      pause: () => this.#audio.pause(),
      seekbackward: ({ seekOffset }) => this.#seek(this.#audio.currentTime - (seekOffset ?? STEP)),
      seekforward: ({ seekOffset }) => this.#seek(this.#audio.currentTime + (seekOffset ?? STEP)),
      seekto: ({ seekTime }) => this.#seek(seekTime),
      previoustrack: () => this.#skip(-1),
      nexttrack: () => this.#skip(1),
    };
    for (const [action, handler] of Object.entries(handlers)) {
      try {
        session.setActionHandler(action, handler);
      } catch {
        // this browser does not know the action
      }
    }
  }

  /** Tells the style sheet how high the bar is, so that it covers nothing for good. */
  #measure() {
    const bar = $("bar");
    const measure = () => document.documentElement.style.setProperty("--bar", `${bar.offsetHeight}px`);
    new ResizeObserver(measure).observe(bar, { box: "border-box" });
  }

  #speed() {
    const next = SPEEDS[(SPEEDS.indexOf(this.#audio.playbackRate) + 1) % SPEEDS.length];
    this.#audio.defaultPlaybackRate = this.#audio.playbackRate = next;
    this.#paint();
  }

  #transcript(show) {
    $("transcript").hidden = !show;
    $("transcript-toggle").setAttribute("aria-expanded", String(show));
  }

  /** Puts the item's words and picture into the bar and onto the lock screen. */
  #describe() {
    const { title, stop, text, image_url: image } = this.#item;
    const name = stop ? `${stop}. ${title}` : title;
    $("now-title").textContent = name;
    $("now-place").textContent = this.#place.name;
    $("now-image").hidden = !image;
    if (image) $("now-image").src = image;
    $("transcript").replaceChildren(...(text ?? "").split(/\n+/).map((words) => Object.assign(document.createElement("p"), { textContent: words })));
    $("transcript").scrollTop = 0;
    $("transcript-toggle").disabled = !text;
    if (!text) this.#transcript(false);
    if (!navigator.mediaSession || !globalThis.MediaMetadata) return;
    const artwork = image ? [{ src: new URL(image, document.baseURI).href }] : [];
    navigator.mediaSession.metadata = new MediaMetadata({ title: name, artist: this.#place.name, album: "Visitor guide", artwork });
  }

  #paint() {
    const { currentTime, duration, paused, playbackRate } = this.#audio;
    const all = Number.isFinite(duration) && duration > 0 ? duration : this.#item?.duration_seconds || 0;
    const at = this.#dragging ? Number($("seek").value) : Math.min(currentTime, all || currentTime);
    const seek = $("seek");
    seek.max = String(all || 1);
    if (!this.#dragging) seek.value = String(at);
    seek.style.setProperty("--done", `${all ? (at / all) * 100 : 0}%`);
    seek.setAttribute("aria-valuetext", `${spoken(at)} of ${spoken(all)}`);
    $("time-now").textContent = clock(at);
    $("time-all").textContent = clock(all);
    setIcon($("toggle"), paused ? "play" : "pause");
    $("toggle").setAttribute("aria-label", paused ? "Play" : "Pause");
    $("speed").textContent = `${playbackRate}×`;
    $("speed").setAttribute("aria-label", `Speed ${playbackRate} times`);
    $("previous").disabled = !this.#near(-1);
    $("next").disabled = !this.#near(1);
    this.#announce(at, all, paused);
  }

  #announce(position, duration, paused) {
    const session = navigator.mediaSession;
    if (!session || !this.#item) return;
    session.playbackState = paused ? "paused" : "playing";
    if (duration && position <= duration) session.setPositionState?.({ duration, position, playbackRate: this.#audio.playbackRate });
  }

  #changed() {
    this.#paint();
    this.dispatchEvent(new CustomEvent("change"));
  }
}
