/** Tickets on the page: the form, the refusal, the pass. @module */

import { h, icon, listed, stamp } from "./view.js";

const $ = (id) => document.getElementById(id);

/**
 * What happened and what to do about it, by the kind of the answer. The gateway
 * words only what it refuses, as it knows why; its other texts are for developers.
 */
const refusals = {
  ticket_not_accepted: ["This ticket was not accepted", "Check the code letter by letter, and that it is for today and for this place. If it still does not work, the people at the ticket desk can help."],
  bad_request: ["We could not read this code", "Type the whole code as it is printed on your ticket, and nothing else."],
  too_many_attempts: ["Please wait a little", "Too many codes were tried from here. This says nothing about your ticket, and what you typed is still here: try the same code again."],
  busy: ["Many visitors are at the gate", "This is not about your ticket. What you typed is still here, and the next try may work."],
  forbidden: ["This page cannot check tickets", "This is not about your ticket. Open the guide anew from the address that the attraction gave you, or ask at the ticket desk."],
  internal: ["Something went wrong on our side", "This is not about your ticket. Try again; if it still does not work, ask at the ticket desk."],
  unavailable: ["We cannot check tickets right now", "This is not about your ticket. What you typed is still here."],
  offline: ["No connection", "Check your connection and try again. What you typed is still here."],
  unexpected: ["That did not work", "Try again. If it still does not work, ask at the ticket desk."],
};

/** The kind of a refusal: a code, or what the status says where a proxy or a firewall answered. */
function kindOf({ status, code }) {
  if (status === 0) return "offline";
  if (code in refusals) return code;
  if (status === 429) return "too_many_attempts";
  return status === 413 ? "bad_request" : status >= 500 ? "unavailable" : "unexpected";
}

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
    const kind = kindOf(error);
    const refused = kind === "ticket_not_accepted";
    if (refused || kind === "bad_request") $("ticket-input").setAttribute("aria-invalid", "true");
    let [title, text] = refusals[kind];
    if (refused && error.title) [title, text] = [error.title, error.detail || text];
    const wait = h("p.wait");
    $("refusal").append(h("div.refused", { "data-code": error.code },
      h("h3", {}, title),
      h("p", {}, text),
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
      line.textContent = left > 0 ? `You can try again in ${span(left)}.` : "You can try again now.";
      if (left <= 0) clearInterval(this.#countdown);
    };
    say();
    this.#countdown = setInterval(() => {
      line.setAttribute("aria-live", "off");
      say();
    }, 1000);
  }
}

/** A time to wait: seconds, or minutes where they are many. */
function span(seconds) {
  const [count, unit] = seconds < 100 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/**
 * Shows the visitor's pass, or takes it away if there is none.
 * @param {object} [visit] `{names, end, now, timeZone, onmore, onleave}`; names are of what is open, end may be empty
 */
export function showPass(visit) {
  const box = $("pass");
  box.hidden = !visit;
  if (!visit) return box.replaceChildren();
  const { names, end, now, timeZone, onmore, onleave } = visit;
  const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", ...(timeZone && { timeZone }) }).formatToParts(now);
  const part = (type) => date.find((piece) => piece.type === type).value;
  const day = [part("day"), part("month").toUpperCase()];
  const signature = JSON.stringify([names, end, day]); // all that is shown
  if (box.dataset.signature === signature && box.childElementCount) return; // keep focus and ink where they are
  box.dataset.signature = signature;
  const focused = box.contains(document.activeElement) && document.activeElement.id;
  box.replaceChildren(
    stamp(day),
    h("h2", { id: "pass-heading", tabindex: "-1" }, "You are in"),
    end && h("p.until", {}, "Open until ", h("strong", {}, end)),
    h("ul.open", {}, ...names.map((name) => h("li", {}, icon("check"), name))),
    h("p.pass-actions", {},
      h("button.quiet", { type: "button", id: "more", onclick: onmore }, "Use another ticket"),
      h("button.quiet", { type: "button", id: "leave", onclick: onleave }, "Leave")));
  if (focused) $(focused).focus({ preventScroll: true });
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
