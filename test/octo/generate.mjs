// Writes the bookings that pkg/ticket/octo is tested with, or compares them:
//
//	npm ci && node generate.mjs [--check]
//
// They come from OCTO itself: @octocloud/generators (MIT) builds bookings, and
// the OpenAPI file in @octocloud/types (ISC) has examples, errors, statuses and
// parameters. Every booking is held to the published schema, and what does not
// fit is listed by name.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import YAML from "yaml";

const require = createRequire(import.meta.url);
const { BookingModelGenerator, BookingParser } = require("@octocloud/generators");
const { BookingStatus, zBooking } = require("@octocloud/types");
const out = new URL("../../pkg/ticket/octo/testdata/", import.meta.url);

const contact = {
  fullName: "Zoë Müller-O'Neill", firstName: "Zoë", lastName: "Müller-O'Neill", emailAddress: "Zoe@Example.org",
  phoneNumber: "+49 6221 123456", locales: ["de"], postalCode: "69117", country: "DE", notes: null,
};
const seats = { utcCutoffAt: "2026-07-01T07:00:00Z", available: true, status: "AVAILABLE", vacancies: 10, capacity: 20, maxUnits: 10 };
const slot = {
  id: "2026-07-01T10:00:00+02:00", localDateTimeStart: "2026-07-01T10:00:00+02:00", localDateTimeEnd: "2026-07-01T11:30:00+02:00",
  allDay: false, openingHours: [], ...seats,
};
const allDay = {
  id: "2026-07-01T00:00:00+02:00", localDateTimeStart: "2026-07-01T00:00:00+02:00", localDateTimeEnd: "2026-07-02T00:00:00+02:00",
  allDay: true, openingHours: [{ from: "09:00", to: "17:00" }], ...seats,
};

// uuid returns a random-looking version 4 UUID that stays the same.
const uuid = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`.replace("00000000", (0x5a17c3d0 + n).toString(16));

let units = 1000;
const unit = (type, status, more = {}) => ({
  uuid: uuid(++units), id: uuid(units), unitId: type.toLowerCase(), status, unit: { id: type.toLowerCase(), type }, ...more,
});

const generator = new BookingModelGenerator();
const parser = new BookingParser();

// booking builds one. Like a reservation system it has its own reference and
// that of the reseller.
function booking(n, reference, status, more = {}) {
  const data = {
    id: uuid(n + 500), uuid: uuid(n), status, supplierReference: reference, resellerReference: `VOUCHER-${n}`,
    contact, availability: slot, capabilities: [], product: { id: "castle" }, option: { id: "DEFAULT" },
    unitItems: [unit("ADULT", status), unit("CHILD", status)], ...more,
  };
  // Only the core: cart, content, offers, pricing and so on have capabilities of their own.
  return JSON.parse(JSON.stringify(parser.parseModelToPOJO(generator.generateBooking({ bookingData: data, capabilities: [] }))));
}

const bookings = {
  confirmed: booking(1, "XOPSUT", "CONFIRMED"),
  redeemed: booking(2, "SCANND", "REDEEMED", {
    utcRedeemedAt: "2026-07-01T08:05:00Z",
    unitItems: [unit("ADULT", "REDEEMED", { utcRedeemedAt: "2026-07-01T08:03:00Z" }), unit("CHILD", "CONFIRMED")],
  }),
  on_hold: booking(3, "HOLDIT", "ON_HOLD", { utcExpiresAt: "2026-07-01T12:00:00Z" }),
  pending: booking(4, "WAITED", "PENDING"),
  expired: booking(5, "OUTRUN", "EXPIRED"),
  cancelled: booking(6, "WEATHR", "CANCELLED", { cancellation: { refund: "FULL", reason: "rain", utcCancelledAt: "2026-06-30T10:00:00Z" } }),
  rejected: booking(7, "TURNED", "REJECTED"),
  family: booking(8, "FAMILY", "CONFIRMED", { unitItems: [unit("FAMILY", "CONFIRMED"), unit("ADULT", "CONFIRMED")] }),
  partly_cancelled: booking(9, "PARTLY", "CONFIRMED", { unitItems: [unit("ADULT", "CONFIRMED"), unit("ADULT", "CANCELLED")] }),
  all_units_cancelled: booking(10, "NOBODY", "CONFIRMED", { unitItems: [unit("ADULT", "CANCELLED")] }),
  all_day: booking(11, "ALLDAY", "CONFIRMED", { availability: allDay }),
  open_dated: booking(12, "OPENED", "CONFIRMED", { availability: null, freesale: true, utcConfirmedAt: "2026-06-01T10:00:00Z" }),
  test_mode: booking(13, "TESTED", "CONFIRMED", { testMode: true }),
  other_product: booking(14, "OTHERS", "CONFIRMED", { product: { id: "zoo" } }),
  audio: booking(15, "AUDIOG", "CONFIRMED", { unitItems: [unit("ADULT", "CONFIRMED"), { ...unit("OTHER", "CONFIRMED"), unitId: "audioguide", unit: { id: "audioguide", type: "OTHER" } }] }),
  contact_of_a_unit: booking(16, "UNITCO", "CONFIRMED", {
    contact: { ...contact, fullName: null, firstName: null, lastName: null, emailAddress: null, postalCode: null },
    unitItems: [unit("ADULT", "CONFIRMED", { contact })],
  }),
  no_contact: booking(17, "NAMELS", "CONFIRMED", {
    contact: { ...contact, fullName: null, firstName: null, lastName: null, emailAddress: null, postalCode: null, phoneNumber: null },
  }),
};

// failures lists where a booking differs from the schema.
function failures(value) {
  const result = zBooking.safeParse(value);
  return result.success ? [] : [...new Set(result.error.issues.map((i) => i.path.join(".").replace(/\.\d+\./g, ".*.")))].sort();
}

const spec = YAML.parse(readFileSync(new URL("node_modules/@octocloud/types/src/openapi.yaml", import.meta.url), "utf8"));
const list = spec.paths["/bookings/"].get;
const one = spec.paths["/bookings/{uuid}"].get;
const resolve = (ref) => spec.components.parameters[ref.$ref.split("/").pop()];
const parameters = (operation) => operation.parameters.map(resolve).map((p) => `${p.in}:${p.name}`).sort();
const examples = (operation, status) => Object.entries(operation.responses[status].content["application/json"].examples);

for (const [name, example] of examples(one, "200")) {
  bookings[`published: ${name}`] = example.value;
}

const contract = {
  statuses: Object.values(BookingStatus).sort(),
  parameters: { "/bookings/": parameters(list), "/bookings/{uuid}": parameters(one) },
  errors: Object.fromEntries([...examples(list, "400"), ...examples(one, "400")].map(([name, e]) => [name, e.value])),
  differs_from_schema: Object.fromEntries(Object.entries(bookings).map(([name, b]) => [name, failures(b)]).filter(([, f]) => f.length > 0)),
};

const check = process.argv.includes("--check");
for (const [name, value] of Object.entries({ "bookings.json": bookings, "contract.json": contract })) {
  const file = new URL(name, out);
  const text = JSON.stringify(value, null, 1) + "\n";
  if (!check) {
    writeFileSync(file, text);
  } else if (readFileSync(file, "utf8") !== text) {
    console.error(`${name} is not what generate.mjs writes`);
    process.exitCode = 1;
  }
}
