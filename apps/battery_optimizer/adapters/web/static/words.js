"use strict";
// Words, numbers and times as a householder reads them. Everything shown is set as text, never as
// markup: reasons, messages and names come from elsewhere.

const MODES = {
  self_use: ["Self Use", "Solar serves the house first, then the battery; the battery serves the house."],
  hold: ["Hold", "The battery waits: it takes spare solar but gives nothing."],
  feed_in: ["Feed in", "Spare solar is sold instead of stored."],
  force_charge: ["Charge", "The battery fills, from the sun and the grid."],
  force_discharge: ["Discharge", "The battery empties at a set power, for the house and for sale."],
};
// By which names the modes stand in the Fox app.
const IN_APP = { hold: "Back-up", feed_in: "Feed-in First", force_charge: "Force Charge", force_discharge: "Force Discharge" };
const HEALTH = {
  ok: ["good", "All well"], degraded: ["warn", "Working, with problems"],
  starting: ["", "Starting"], stale: ["bad", "No news for too long"], failed: ["bad", "Not working"],
  kept_last_plan: ["warn", "Following the last plan"], fell_back: ["warn", "Following simple rules"],
  safe_mode: ["bad", "Safe mode: Self Use"],
};
const COMMANDS = {
  applied: "sent and confirmed", unchanged: "already so, nothing sent", read_only: "read-only, not sent",
  waiting: "waiting: the last change is too fresh, or today's writes are used up",
  left: "left alone: paused, or somebody else set the mode",
  failed: "refused by the inverter", paused: "paused after repeated failures",
};
const ZONE = "Europe/London";
const HOUR = 36e5, HALF_HOUR = 18e5;

const find = (id) => document.getElementById(id);
const isKnown = (value) => value !== null && value !== undefined;

function number(value, digits = 1) {
  if (!isKnown(value)) return "–";
  const shown = Math.abs(value) < 0.5 / 10 ** digits ? 0 : value;
  return shown.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
}

function money(pence) {
  if (!isKnown(pence)) return "–";
  if (Math.abs(pence) < 100) return `${number(pence)}\u00a0p`;
  return pounds(pence);
}

// Where sums stand below each other.
function pounds(pence) {
  if (!isKnown(pence)) return "–";
  return `${pence < -0.5 ? "−" : ""}£${number(Math.abs(pence) / 100, 2)}`;
}

// Parts rounded so that they add up to the total as it is rounded: who is rounded most gives way.
function addingUp(total, parts, unit = 1) {
  const exact = parts.map((part) => (part ?? 0) / unit);
  const rounded = exact.map(Math.round);
  let left = Math.round(total / unit) - rounded.reduce((sum, part) => sum + part, 0);
  while (left) {
    const off = exact.map((part, at) => isKnown(parts[at]) ? (part - rounded[at]) * Math.sign(left) : -Infinity);
    rounded[off.indexOf(Math.max(...off))] += Math.sign(left);
    left -= Math.sign(left);
  }
  return rounded.map((part, at) => isKnown(parts[at]) ? part * unit : null);
}

// A bill in whole pence, as it is shown: what is bought and sold makes the bill, and what differs from another bill is saved.
function inPence(row) {
  const [bought, sold, standing] = addingUp(row.bill_p, [row.import_p, -row.export_p, row.standing_p]);
  const shown = { ...row, bill_p: Math.round(row.bill_p), import_p: bought, export_p: -sold, standing_p: standing };
  for (const way of ["no_battery", "self_use", "reactive"]) {
    shown[`${way}_bill_p`] = Math.round(row[`${way}_bill_p`]);
    shown[`saved_against_${way}_p`] = shown[`${way}_bill_p`] - shown.bill_p;
  }
  return shown;
}

function formatter(options) {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hourCycle: "h23", ...options });
  return (time) => isKnown(time) ? format.format(new Date(time)) : "–";
}
const clock = formatter({ hour: "2-digit", minute: "2-digit" });
const weekday = formatter({ weekday: "short" });
const shortDay = formatter({ day: "numeric", month: "short" });
const longDay = formatter({ weekday: "long", day: "numeric", month: "long" });
const dayAndClock = (time) => isKnown(time) ? `${weekday(time)} ${clock(time)}` : "–";
const span = (start, end) => weekday(start) === weekday(end) || clock(end) === "00:00"
  ? `${clock(start)}–${clock(end)}` : `${clock(start)}–${dayAndClock(end)}`;

function ago(time, now) {
  if (!isKnown(time)) return "–";
  const minutes = Math.round((Date.parse(now) - Date.parse(time)) / 6e4);
  if (minutes < 1) return "just now";
  if (minutes < 120) return `${minutes} min ago`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 1440)} days ago`;
}

// What people see of a mode: one that is forced at no power is a battery that rests.
const actsAs = (mode, powerKw) => isKnown(powerKw) && powerKw < 0.05 ? "hold" : mode;

function modeWords(mode, powerKw) {
  const seen = actsAs(mode, powerKw);
  const name = MODES[seen] ? MODES[seen][0] : seen;
  return powerKw && seen === mode ? `${name} at ${number(powerKw, 2)}\u00a0kW` : name;
}

// How it stands in the inverter's own app, where that is by another name.
function inAppWords(mode, powerKw) {
  if (actsAs(mode, powerKw) !== mode) return `The inverter is told ${IN_APP[mode]} at 0 kW, at which the battery rests: that saves a change of mode.`;
  return IN_APP[mode] ? `In the Fox app: ${IN_APP[mode]}.` : "";
}

// With a capital, unless it begins with the name of an entity, and a full stop.
const sentence = (words) => words.replace(/^[a-z](?=[a-z']*[ ,:])/, (first) => first.toUpperCase()) + (/[.!?)]$/.test(words) ? "" : ".");

const counted = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;

// From a number to another on one line, or the one where both look the same.
function range(low, high, digits = 1) {
  const [first, last] = [number(low, digits), number(high, digits)];
  if (first === last) return first;
  return low < 0 ? `${first} to ${last}` : `${first}\u2060–\u2060${last}`;
}

// A number and its unit stay on one line, and so do prices and times from one to another. Nothing is
// put into names and codes, which people copy.
const unbroken = (text) => String(text)
  .replace(/(\d-)(?=\d\d:\d\d|\d[\d.]* p(?![a-z]))/g, "$1\u2060")
  .replace(/(\d) (p|%|kWh?)(?![a-z])/g, "$1\u00a0$2");

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (isKnown(text)) made.textContent = unbroken(text);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function dot(made, mode) {
  made.style.setProperty("--dot", `var(--${mode in MODES ? mode : "self_use"})`);
  return made;
}

const badge = (mode, powerKw) => dot(element("span", modeWords(mode, powerKw), { class: "badge" }), actsAs(mode, powerKw));

function facts(list, pairs) {
  list.replaceChildren(...pairs.map(([name, value]) => {
    const pair = element("div");
    const told = element("dd");
    told.append(typeof value === "string" ? unbroken(value) : value);
    pair.append(element("dt", name), told);
    return pair;
  }));
}

// Columns: [title, class]; cells: text, an element, or {text, class, title}. A row that is a text
// heads those that follow.
function fillTable(table, caption, columns, rows) {
  const head = element("tr");
  for (const [title, kind] of columns) head.append(element("th", title, { scope: "col", class: kind ?? "" }));
  let body = element("tbody");
  const bodies = [body];
  for (const row of rows) {
    const line = element("tr");
    if (typeof row === "string") {
      line.append(element("th", row, { scope: "rowgroup", colspan: columns.length, class: "group" }));
      body = element("tbody");
      bodies.push(body);
      body.append(line);
      continue;
    }
    row.forEach((cell, column) => {
      const made = column === 0 ? element("th", null, { scope: "row" })
        : element("td", null, { class: columns[column][1] ?? "" });
      if (cell instanceof Node) made.append(cell);
      else if (isKnown(cell) && typeof cell === "object") {
        made.textContent = cell.text;
        made.className = cell.class;
        made.title = cell.title;
      } else if (isKnown(cell)) made.textContent = unbroken(cell);
      line.append(made);
    });
    body.append(line);
  }
  const top = element("thead");
  top.append(head);
  const heading = element("caption");
  heading.append(element("span", caption));
  table.replaceChildren(heading, top, ...bodies.filter((each) => each.rows.length));
}
