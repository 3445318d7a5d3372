/** Tickets on the page: the form, the refusal, the pass. @module */

import { h, icon, listed, stamp, until } from "./view.js";

const $ = (id) => document.getElementById(id);

/** What a visitor can do about a refusal, by the code of the answer. */
const advice = {
  ticket_not_accepted: "Check the code letter by letter, and that it is for today and for this place. If it still does not work, the people at the ticket desk can help.",
  bad_request: "Check that you typed the whole code, and nothing else.",
  session_required: "Show your ticket again.",
  offline: "Check your connection and try again. What you typed is still here.",
  unavailable: "This is not about your ticket. What you typed is still here.",
};

const titles = {
  ticket_not_accepted: "This ticket was not accepted",
  bad_request: "We could not read this code",
  offline: "No connection",
  unavailable: "We cannot check tickets right now",
};

/** The ticket form. Events: `ticket`, detail the code as typed. */
export class TicketForm extends EventTarget {
  #countdown = 0;

  constructor() {
    super();
    $("ticket-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const code = $("ticket-input").value.trim();
      if (!code) return this.#empty();
      this.dispatchEvent(new CustomEvent("ticket", { detail: code }));
    });
    $("ticket-input").addEventListener("input", () => $("ticket-input").removeAttribute("aria-invalid"));
  }

  /** Puts a code into the field, ready to be sent. */
  fill(code) {
    this.clear();
    $("ticket-input").value = code;
    $("ticket-submit").focus();
    reveal($("ticket"));
  }

  /** Says why a ticket is wanted and takes the visitor there. */
  ask(why) {
    $("ticket").hidden = false;
    this.hint(why);
    $("ticket-input").focus({ preventScroll: true });
    reveal($("ticket"));
  }

  hint(text) {
    $("ticket-hint").textContent = text;
  }

  busy(busy) {
    $("ticket-submit").disabled = busy;
    $("ticket-submit").textContent = busy ? "Checking…" : "Open the guide";
    $("ticket").setAttribute("aria-busy", String(busy));
  }

  clear() {
    clearInterval(this.#countdown);
    $("refusal").replaceChildren();
    $("ticket-input").removeAttribute("aria-invalid");
  }

  /** Shows why a ticket did not open anything, and keeps what was typed. */
  refuse(error) {
    this.clear();
    const kind = error.status === 0 ? "offline" : error.status === 429 || error.status >= 500 ? "unavailable" : error.code;
    if (error.status === 403 || error.status === 400) $("ticket-input").setAttribute("aria-invalid", "true");
    const title = error.title || titles[kind] || "That did not work";
    const wait = h("p.wait");
    $("refusal").append(h("div.refused", { "data-code": error.code },
      h("h3", {}, title),
      error.detail && error.detail !== title && h("p", {}, error.detail),
      (!error.detail || kind === "unavailable") && h("p", {}, advice[kind] ?? "Try again. If it still does not work, ask at the ticket desk."),
      wait,
      error.requestId && h("p.reference", {}, "Reference for the desk: ", h("code", {}, error.requestId))));
    if (error.retryAfter) this.#wait(wait, Math.ceil(error.retryAfter));
    $("ticket-input").focus({ preventScroll: true });
    reveal($("refusal"));
  }

  #empty() {
    this.clear();
    $("ticket-input").setAttribute("aria-invalid", "true");
    $("refusal").append(h("div.refused", { "data-code": "empty" }, h("h3", {}, "Please type your ticket code"), h("p", {}, "You find it on your ticket or in the mail that you were sent.")));
    $("ticket-input").focus();
  }

  /** Counts down, quietly for screen readers: only the beginning is read out. */
  #wait(line, seconds) {
    const end = Date.now() + seconds * 1000;
    const say = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      line.textContent = left > 0 ? `You can try again in ${left} second${left === 1 ? "" : "s"}.` : "You can try again now.";
      if (left <= 0) clearInterval(this.#countdown);
    };
    say();
    this.#countdown = setInterval(() => {
      line.setAttribute("aria-live", "off");
      say();
    }, 1000);
  }
}

/**
 * Shows the visitor's pass, or takes it away if there is none.
 * @param {object} [visit] `{pass, names, now, timeZone, onmore, onleave}`; names are of what is open
 */
export function showPass(visit) {
  const box = $("pass");
  box.hidden = !visit;
  if (!visit) return box.replaceChildren();
  const { pass, names, now, timeZone, onmore, onleave } = visit;
  const end = until(new Date(pass.admission.ends_at), now, timeZone);
  const signature = JSON.stringify([pass.admission, names, end]);
  if (box.dataset.signature === signature && box.childElementCount) return; // keep focus and ink where they are
  box.dataset.signature = signature;
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", ...(timeZone && { timeZone }) }).formatToParts(now);
  const part = (type) => day.find((piece) => piece.type === type).value;
  box.replaceChildren(
    stamp([part("day"), part("month").toUpperCase()]),
    h("h2", { tabindex: "-1" }, "You are in"),
    h("p.until", {}, "Open until ", h("strong", {}, end)),
    h("ul.open", {}, ...names.map((name) => h("li", {}, icon("check"), name))),
    h("p.pass-actions", {},
      h("button.quiet", { type: "button", id: "more", onclick: onmore }, "Use another ticket"),
      h("button.quiet", { type: "button", id: "leave", onclick: onleave }, "Leave")));
}

/** Offers the sample tickets of a demo. */
export function showDemo(tickets, names, use) {
  const box = $("demo");
  box.hidden = !tickets.length;
  const signature = JSON.stringify(tickets);
  if (box.dataset.signature === signature) return;
  box.dataset.signature = signature;
  box.replaceChildren(
    h("h2", {}, "This is a demo"),
    h("p", {}, "Try one of these tickets."),
    h("ul", {}, ...tickets.map((ticket) =>
      h("li", {}, h("button.sample", { type: "button", "data-code": ticket.code, onclick: () => use(ticket) },
        h("code", {}, ticket.code),
        h("span", {}, ticket.note || listed([names(ticket.attraction), ...(ticket.packages ?? [])].filter(Boolean))))))));
}

/** Scrolls to an element, gently if the visitor likes that. */
export function reveal(element) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
}
