/** The visitor's page: routes, and who tells whom. @module */

import { HandstampClient } from "./client.js";
import { Player } from "./player.js";
import { reveal, showDemo, showPass, TicketForm } from "./ticket.js";
import * as view from "./view.js";

const { h } = view;
const $ = (id) => document.getElementById(id);

const client = new HandstampClient();
const player = new Player();
const form = new TicketForm();

let places = null; // the attractions, once loaded
let content = null; // of the attraction on the page, null on the chooser
let samples = []; // tickets of the demo
let struggling = false; // renewals fail, and the visitor was told
let turn = 0; // counts routes: an answer for an earlier one comes too late

const DEFAULT_HINT = $("ticket-hint").textContent;

/* Loading */

async function load(url) {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  if (!response.ok) throw Object.assign(new Error(`${url}: ${response.status}`), { status: response.status });
  return response.json();
}

async function loadPlaces() {
  places ??= (await load("/v1/attractions")).attractions ?? [];
  return places;
}

const nameOf = (id) => places?.find((place) => place.id === id)?.name;

/* Routes */

/** Takes a ticket out of the fragment, so that it stays in no address bar, history or shared link. */
function takeTicket() {
  const magic = /\/t$/.test(location.pathname); // a shop's link: /t#TOKEN
  const match = /^#(?:ticket=|\/t\/)(.+)$/.exec(location.hash) ?? (magic && /^#([^/].*)$/.exec(location.hash));
  if (!match) return;
  history.replaceState(null, "", `${location.pathname.replace(/\/t$/, "/")}#/`);
  return unescaped(match[1]);
}

/** Undoes percent-encoding, and leaves alone what is none. */
function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function route(moved) {
  const ticket = takeTicket();
  const id = unescaped(/^#\/([^/]+)$/.exec(location.hash)?.[1] ?? "");
  const mine = ++turn;
  form.clear();
  form.hint(DEFAULT_HINT);
  try {
    const [list, guide] = await Promise.all([loadPlaces(), id ? load(`/v1/attractions/${encodeURIComponent(id)}/content`) : null]);
    if (mine !== turn) return;
    content = guide;
    guide ? showGuide(guide, list.find((place) => place.id === id)) : showChooser(list);
  } catch (error) {
    if (mine !== turn) return;
    content = null;
    showTrouble(error);
  }
  paint();
  if (moved) arrive();
  if (ticket) form.fill(ticket);
}

function showChooser(list) {
  document.title = "Visitor guide";
  document.body.dataset.page = "chooser";
  $("back").hidden = true;
  $("hero").replaceChildren(h("div.greeting", {}, h("h1", { tabindex: "-1" }, "Where are you today?"), h("p", {}, "Show your ticket once. Then just listen.")));
  $("main").replaceChildren(list.length ? view.chooser(list) : h("p.notice", {}, "There is nothing to visit here yet."));
}

function showGuide(guide, place) {
  document.title = `${guide.attraction.name} · Visitor guide`;
  document.body.dataset.page = "guide";
  $("back").hidden = places.length < 2;
  $("hero").replaceChildren(view.hero(guide.attraction, place?.cover_url));
  $("main").replaceChildren(...view.stops(guide, act));
}

function showTrouble(error) {
  document.body.dataset.page = "trouble";
  $("back").hidden = false;
  const missing = error.status === 404;
  $("hero").replaceChildren(h("div.greeting", {},
    h("h1", { tabindex: "-1" }, missing ? "We do not know this place" : "The guide did not load"),
    h("p", {}, missing ? "The address may be old. Choose from all places instead." : "Check your connection and try again.")));
  $("main").replaceChildren(missing
    ? h("a.primary", { href: "#/" }, "All places")
    : h("button.primary", { type: "button", onclick: () => route(true) }, "Try again"));
}

function arrive() {
  scrollTo(0, 0);
  $("hero").querySelector("h1")?.focus({ preventScroll: true });
}

/* What is open */

const locked = (item) => !client.allows(content.attraction.id, item.package ?? "");

/** Brings everything on the page in line with what is open and what plays. */
function paint() {
  paintPass();
  paintDemo();
  if (!content) return;
  for (const item of content.items) {
    const row = $("main").querySelector(`[data-item="${CSS.escape(item.id)}"]`);
    const current = player.item?.id === item.id && player.place.id === content.attraction.id;
    row?.classList.toggle("current", current);
    if (row) view.paintStop(row, item, { locked: locked(item), playing: current && player.playing });
  }
  for (const group of $("main").querySelectorAll("[data-package]")) paintGroup(group);
  player.queue(content.attraction, content.items.filter((item) => item.kind === "audio" && !locked(item)));
}

function paintGroup(group) {
  const pack = group.dataset.package;
  const open = client.allows(content.attraction.id, pack);
  group.dataset.open = String(open);
  const state = group.querySelector("[data-state]");
  const words = pack ? (open ? "Unlocked" : "With a ticket") : "No ticket needed";
  if (state.textContent !== words) state.replaceChildren(view.icon(open ? "check" : "lock"), words);
}

/** Shows the ticket form or the pass. What takes the place of the one that had the focus gets it. */
function paintPass() {
  const { pass } = client;
  const [typing, holding] = ["ticket", "pass"].map((id) => $(id).contains(document.activeElement));
  const adding = $("ticket").dataset.adding === "true";
  $("ticket").hidden = Boolean(pass) && !adding;
  $("ticket-heading").textContent = pass ? "Another ticket" : "Have a ticket?";
  showPass(pass && {
    names: openNames(pass),
    end: openUntil(pass),
    now: new Date(client.now()),
    timeZone: content?.attraction.timezone,
    onmore: () => {
      $("ticket").dataset.adding = "true";
      paintPass();
      form.ask(DEFAULT_HINT);
    },
    onleave: leave,
  });
  if (typing && $("ticket").hidden) $("pass-heading").focus({ preventScroll: true });
  if (holding && $("pass").hidden) $("ticket-heading").focus({ preventScroll: true });
}

/** The end of the visit, or "" with tickets for several places: each has its own, and the gateway tells one. */
function openUntil(pass) {
  if (placesOf(pass.grants).length > 1) return "";
  return view.until(new Date(pass.admission.ends_at), new Date(client.now()), content?.attraction.timezone);
}

/** What the pass opens, as "Audio guide", with the place's name where it is another one. */
function openNames(pass) {
  return pass.grants.map((grant) => {
    const place = places?.find(({ id }) => id === grant.attraction);
    const pack = place?.packages?.find(({ id }) => id === grant.package)?.name ?? grant.package;
    return content?.attraction.id === grant.attraction ? pack : `${place?.name ?? grant.attraction}: ${pack}`;
  });
}

function paintDemo() {
  const here = samples.filter((ticket) => !content || ticket.attraction === content.attraction.id || !ticket.attraction);
  showDemo($("ticket").hidden ? [] : here, nameOf, (ticket) => form.fill(ticket.code));
}

/* What a visitor does */

/** Plays, opens, or asks for a ticket. */
function act(item) {
  if (locked(item)) return askFor(item);
  if (item.kind === "audio") return player.toggle(content.attraction, item);
  openViewer(item);
}

function askFor(item) {
  const pack = content.packages.find(({ id }) => id === item.package)?.name ?? item.package;
  $("ticket").dataset.adding = "true";
  paint();
  form.ask(client.pass
    ? `“${item.title}” is part of “${pack}”, which your ticket does not include. Do you have another one?`
    : `“${item.title}” is part of “${pack}”. Type the code on your ticket to open it.`);
}

/** Shows a picture, a map, a film or a text. */
function openViewer(item) {
  const dialog = $("viewer");
  const film = item.kind === "video" ? h("video", { src: item.url, controls: true, playsinline: true, poster: item.image_url }) : null;
  const letGo = film && client.attach(film, { paid: () => Boolean(item.package) });
  dialog.replaceChildren(
    h("header", {}, h("h2", { id: "viewer-title" }, item.title),
      h("button.plain", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, view.icon("close"))),
    film ?? (item.url && item.kind !== "text" ? image(item) : ""),
    item.text ? h("p.viewer-text", {}, item.text) : "");
  dialog.addEventListener("close", () => {
    letGo?.();
    dialog.replaceChildren(); // ends a film, too
  }, { once: true });
  if (film) $("player").pause();
  dialog.showModal();
  film?.play().catch(() => {});
}

/** A picture that is asked for once more with fresh cookies if it did not come. */
function image(item) {
  const img = h("img", { alt: item.title });
  let again = Boolean(item.package);
  img.addEventListener("error", async () => {
    if (again) {
      again = false;
      await client.renew().catch(() => {});
      img.src = item.url;
    } else {
      img.replaceWith(h("p.notice", {}, "This picture did not load. Check your connection and try again."));
    }
  });
  img.src = item.url;
  return img;
}

async function submit(code) {
  form.clear();
  form.busy(true);
  const before = placesOf(client.grants);
  try {
    const pass = await client.verify(code, content ? { attraction: content.attraction.id } : {});
    const all = placesOf(pass.grants);
    const added = all.filter((id) => !before.includes(id));
    welcome(pass, added.length ? added : all);
  } catch (error) {
    form.refuse(error);
  } finally {
    form.busy(false);
  }
}

/** The attractions of grants, each once. */
const placesOf = (grants) => [...new Set(grants.map((grant) => grant.attraction))];

/** A ticket was accepted: say so, and go where it leads. */
function welcome(pass, leads) {
  $("ticket-input").value = "";
  delete $("ticket").dataset.adding;
  form.hint(DEFAULT_HINT);
  const end = openUntil(pass);
  status(`You are in.${end && ` Open until ${end}.`}`);
  paint();
  if (leads.length && !leads.includes(content?.attraction.id)) {
    location.hash = `#/${encodeURIComponent(leads[0])}`;
    return;
  }
  $("pass-heading")?.focus({ preventScroll: true });
  reveal($("pass"));
}

async function leave() {
  const button = $("leave");
  button.disabled = true;
  try {
    await client.leave();
    $("ticket-heading").focus({ preventScroll: true });
    reveal($("ticket"));
  } catch {
    button.disabled = false;
    if (document.activeElement === document.body) button.focus(); // it was lost with the disabled button
    status("We could not reach the gate, so you are still in. Try again in a moment.", true);
  }
}

let fade = 0;

/** Tells the visitor something; it fades unless it has to stay. */
function status(text, stay = false) {
  clearTimeout(fade);
  const line = $("status");
  line.textContent = text;
  line.classList.toggle("shown", Boolean(text));
  if (text && !stay) fade = setTimeout(() => line.classList.remove("shown"), 5000);
}

/* Who tells whom */

const endings = {
  left: "You have left. See you again soon.",
  refused: "Your visit has ended. If it should not have, show your ticket again.",
  expired: "Your time is up. Show your ticket again to go on.",
};

client.addEventListener("change", () => {
  if (struggling && client.grants.length) {
    struggling = false;
    status("");
  }
  paint();
});
client.addEventListener("end", ({ detail }) => {
  if (detail.reason === "left" && player.item?.package) player.stop();
  delete $("ticket").dataset.adding;
  status(endings[detail.reason], detail.reason !== "left");
});
client.addEventListener("trouble", ({ detail }) => {
  if (client.grants.length && detail.error.status !== 0) return; // there is time; the next try may do
  struggling = true;
  status("We cannot reach the gate at the moment and keep trying. Your ticket is fine.", true);
});
client.addEventListener("lost", ({ detail }) => {
  if (detail.media === $("player") && player.fallBack()) return;
  detail.media.pause();
  if (client.pass || !player.item?.package) status("This stop did not play. Check your connection, then press play again.", true);
});
client.attach($("player"), { paid: () => Boolean(player.item?.package) });
player.addEventListener("change", paint);
form.addEventListener("ticket", ({ detail }) => submit(detail));

addEventListener("hashchange", () => route(true));
$("skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("main").focus();
});
$("viewer").addEventListener("click", (event) => event.target === $("viewer") && $("viewer").close());

route(false);
client.restore().catch(() => status("We could not check whether you are already in. You can show your ticket again.", true));
load("/app/demo.json").then(({ tickets }) => {
  samples = tickets ?? [];
  paintDemo();
}, () => {}); // not a demo
