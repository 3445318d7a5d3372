/** What the pages are made of: small functions from data to DOM, no state. @module */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element. Strings become text, so nothing from outside is ever markup.
 * @param {string} tag a tag name, with classes after dots: "p.meta"
 * @param {object} [attributes] "on..." are listeners, true sets an empty attribute, false and null leave it out
 * @param {...(Node|string|null|false)} children
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child || child === 0));
  return element;
}

/** Draws a symbol of index.html. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Changes the symbol inside a button. */
export function setIcon(button, name) {
  button.querySelector("use").setAttribute("href", `#i-${name}`);
}

/** 75 as "1:15". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** 75 as "1 minute 15 seconds", for screen readers. */
export function spoken(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const unit = (n, word) => (n ? `${n} ${word}${n === 1 ? "" : "s"} ` : "");
  return (unit(Math.floor(whole / 60), "minute") + unit(whole % 60, "second")).trim() || "0 seconds";
}

/** A list in a sentence: "a, b and c". */
export function listed(words) {
  return new Intl.ListFormat("en", { type: "conjunction" }).format(words);
}

/** The end of a visit as the visitor's day has it: "18:00", or with the day if that is not today. */
export function until(end, now, timeZone) {
  const zone = timeZone ? { timeZone } : {};
  const day = (time) => new Intl.DateTimeFormat("en-GB", { ...zone, dateStyle: "short" }).format(time);
  const time = new Intl.DateTimeFormat("en-GB", { ...zone, hour: "2-digit", minute: "2-digit" }).format(end);
  if (day(end) === day(now)) return time;
  return `${time} on ${new Intl.DateTimeFormat("en-GB", { ...zone, weekday: "long", day: "numeric", month: "long" }).format(end)}`;
}

/** The first page: one card per attraction. */
export function chooser(attractions) {
  return h("ul.places", {}, ...attractions.map((place, index) =>
    h("li", {}, h("a.place", { href: `#/${encodeURIComponent(place.id)}`, "data-attraction": place.id },
      picture(place.cover_url, "place-cover", index > 1),
      h("div.place-text", {},
        h("h2", {}, place.name),
        place.intro && h("p", {}, place.intro),
        h("p.chips", {}, h("span.chip.free", {}, "Free welcome"), ...(place.packages ?? []).map((pack) => h("span.chip", {}, pack.name))),
      )))));
}

/** An image that gives way to a plain surface if it cannot be loaded. */
export function picture(url, className, lazy = false) {
  const box = h(`span.${className}.picture`, { "aria-hidden": "true" });
  if (url) box.append(h("img", { src: url, alt: "", loading: lazy ? "lazy" : "eager", decoding: "async", onerror: (event) => event.target.remove() }));
  return box;
}

/** The top of an attraction's page. */
export function hero(place, coverURL) {
  return h("div.hero", {},
    picture(coverURL, "hero-cover"),
    h("div.hero-text", {}, h("h1", { tabindex: "-1" }, place.name), place.intro && h("p", {}, place.intro)));
}

const kinds = { audio: "Audio", video: "Film", image: "Picture", map: "Map", text: "To read" };

/** The stops of an attraction, free ones first, then package by package. */
export function stops(content, act) {
  const groups = [{ id: "", name: "Free for everyone" }, ...content.packages];
  return groups
    .map((group) => [group, content.items.filter((item) => (item.package ?? "") === group.id)])
    .filter(([, items]) => items.length)
    .map(([group, items]) => h("section.group", { "data-package": group.id, "aria-labelledby": `group-${group.id || "free"}` },
      h("header", {},
        h("h2", { id: `group-${group.id || "free"}` }, group.name),
        h("p.state", { "data-state": "" })),
      h("ol.stops", {}, ...items.map((item) => stop(item, act)))));
}

function stop(item, act) {
  const plays = item.kind === "audio" || item.kind === "video";
  const meta = [kinds[item.kind] ?? item.kind, item.duration_seconds && clock(item.duration_seconds)].filter(Boolean).join(" · ");
  return h("li.stop", { "data-item": item.id, "data-kind": item.kind },
    h("button.stop-button", { type: "button", [plays ? "data-play" : "data-open"]: item.id, onclick: () => act(item) },
      h("span.thumb", {}, item.image_url ? picture(item.image_url, "thumb-image", true) : h("span.thumb-image.bare", {}, icon("info")),
        item.stop ? h("span.number", {}, h("span.sr", {}, "Stop "), String(item.stop)) : null),
      h("span.stop-text", {}, h("span.stop-title", {}, item.title), h("span.meta", {}, meta), h("span.sr", { "data-say": "" })),
      h("span.knob", { "aria-hidden": "true" }, icon(plays ? "play" : "open"))));
}

/** Shows in a row whether it is locked and whether it plays. */
export function paintStop(row, item, { locked, playing }) {
  const plays = "play" in row.querySelector("button").dataset;
  row.dataset.locked = String(locked);
  row.dataset.playing = String(playing);
  setIcon(row.querySelector(".knob"), locked ? "lock" : playing ? "pause" : plays ? "play" : "open");
  row.querySelector("[data-say]").textContent = locked ? ". Locked, needs a ticket" : playing ? ". Playing, press to pause" : plays ? ". Press to play" : ". Press to open";
}

/** The stamp on a visitor's ticket: the mark, the day, and where it holds. */
export function stamp(day) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 120 120");
  svg.setAttribute("class", "ink");
  svg.setAttribute("aria-hidden", "true");
  const add = (name, attributes, text) => {
    const part = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
    if (text) part.textContent = text;
    svg.append(part);
    return part;
  };
  add("circle", { cx: 60, cy: 60, r: 56, "stroke-width": 4 });
  add("circle", { cx: 60, cy: 60, r: 37, "stroke-width": 1.6 });
  add("path", { id: "stamp-arc", d: "M60 103a43 43 0 1 1 .1 0", stroke: "none" });
  const around = add("text", { class: "around" });
  const path = document.createElementNS(SVG, "textPath");
  path.setAttribute("href", "#stamp-arc");
  path.setAttribute("textLength", "262");
  path.textContent = "ADMITTED ★ ENJOY YOUR VISIT ★ ";
  around.append(path);
  const [number, month] = day;
  add("text", { class: "day", x: 60, y: 66, "text-anchor": "middle" }, number);
  add("text", { class: "month", x: 60, y: 82, "text-anchor": "middle" }, month);
  return svg;
}
