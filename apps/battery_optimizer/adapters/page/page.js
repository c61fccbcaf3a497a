"use strict";
// Everything shown is set as text, never as markup: reasons and messages come from elsewhere.

const REFRESH_MS = 30000;
const MODES = {
  self_use: "Self-use", hold: "Hold", feed_in: "Feed in",
  force_charge: "Charge", force_discharge: "Discharge",
};
const LINES = [
  { key: "import_rate", words: "Import p/kWh", axis: "rate", step: true },
  { key: "export_rate", words: "Export p/kWh", axis: "rate", step: true },
  { key: "soc_start_percent", words: "Battery %", axis: "soc", step: false },
  { key: "solar_kw", words: "Solar kW", axis: "power", step: true },
  { key: "load_kw", words: "House kW", axis: "power", step: true },
];
const COLOURS = {
  import_rate: "--import", export_rate: "--export", soc_start_percent: "--soc",
  solar_kw: "--solar", load_kw: "--load",
};
const SVG = "http://www.w3.org/2000/svg";
const find = (id) => document.getElementById(id);
const number = (value, digits = 1) =>
  value === null || value === undefined ? "–" : value.toLocaleString("en-GB", {
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  });
const clock = (time) => new Date(time).toLocaleTimeString("en-GB", {
  hour: "2-digit", minute: "2-digit", timeZone: "Europe/London",
});
const dayAndClock = (time) => time === null || time === undefined ? "–"
  : new Date(time).toLocaleString("en-GB", {
    weekday: "short", hour: "2-digit", minute: "2-digit", timeZone: "Europe/London",
  });

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function drawn(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function facts(list, pairs) {
  list.replaceChildren(...pairs.map(([name, value]) => {
    const pair = element("div");
    pair.append(element("dt", name), element("dd", value));
    return pair;
  }));
}

function showNow(data) {
  const { recommendation, measured, plan } = data;
  const mode = recommendation.mode;
  const power = recommendation.power_kw ? ` at ${number(recommendation.power_kw, 2)} kW` : "";
  const sent = recommendation.command_result === "read_only" ? " (read-only: not sent)" : "";
  find("mode").textContent = mode ? `${MODES[mode] ?? mode}${power}${sent}` : "Starting";
  find("reason").textContent = recommendation.reason;
  const slot = plan.slots[0];
  facts(find("figures"), [
    ["Battery", `${number(measured.soc_percent, 0)} %`],
    ["Expected at the end of this slot", `${number(recommendation.expected_soc, 0)} %`],
    ["House", `${number(measured.load_kw, 2)} kW`],
    ["Solar", `${number(measured.solar_kw, 2)} kW`],
    ["Import rate", slot ? `${number(slot.import_rate)} p` : "–"],
    ["Export rate", slot ? `${number(slot.export_rate)} p` : "–"],
    ["A stored kWh is worth", slot ? `${number(slot.energy_value)} p` : "–"],
  ]);
  const others = (plan.alternatives ?? []).map((other) =>
    `${MODES[other.mode] ?? other.mode}: ${number(other.extra_cost_p)} p more`);
  find("alternatives").textContent = others.length ? `Instead, now – ${others.join("; ")}` : "";
}

function path(slots, line, x, y) {
  const points = [];
  for (const slot of slots) {
    const value = slot[line.key];
    if (value === null) continue;
    points.push(`${x(slot.start)},${y(value)}`);
    if (line.step) points.push(`${x(slot.end)},${y(value)}`);
  }
  const last = slots.at(-1);
  if (!line.step && last.soc_end_percent !== null) {
    points.push(`${x(last.end)},${y(last.soc_end_percent)}`);
  }
  return `M${points.join("L")}`;
}

function scale(values, top, bottom) {
  const low = Math.min(0, ...values), high = Math.max(1, ...values);
  return { low, high, y: (value) => bottom - (value - low) / (high - low) * (bottom - top) };
}

function showChart(slots) {
  const width = Math.max(340, find("chart-box").clientWidth), height = 380;
  const left = 34, right = width - 8;
  const begin = Date.parse(slots[0].start), end = Date.parse(slots.at(-1).end);
  const x = (time) => left + (Date.parse(time) - begin) / (end - begin) * (right - left);
  const of = (keys) => slots.flatMap((slot) => keys.map((key) => slot[key]));
  const panels = {
    rate: scale(of(["import_rate", "export_rate"]), 30, 150),
    soc: scale([0, 100], 170, 250),
    power: scale(of(["solar_kw", "load_kw"]), 270, 350),
  };
  const svg = drawn("svg", {
    viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": "The plan: rates, battery, solar and house over time; the table has the numbers",
  });
  for (const slot of slots) {
    svg.append(drawn("rect", {
      x: x(slot.start), y: 8, width: Math.max(1, x(slot.end) - x(slot.start)), height: 14,
      fill: `var(--${slot.mode in MODES ? slot.mode : "self_use"})`,
    }));
  }
  for (const panel of Object.values(panels)) {
    for (const value of [panel.low, 0, panel.high]) {
      const at = panel.y(value);
      svg.append(drawn("line", { x1: left, x2: right, y1: at, y2: at, stroke: "var(--line)" }));
      svg.append(drawn("text", { x: left - 4, y: at + 4, "text-anchor": "end" }, number(value, 0)));
    }
  }
  const hours = (end - begin) / 36e5, every = hours > 30 ? 6 : 3;
  for (let time = Math.ceil(begin / 36e5) * 36e5; time < end; time += 36e5) {
    const text = clock(time);
    if (Number(text.slice(0, 2)) % every || !text.endsWith(":00")) continue;
    const at = x(new Date(time).toISOString());
    svg.append(drawn("line", { x1: at, x2: at, y1: 30, y2: 350, stroke: "var(--line)" }));
    svg.append(drawn("text", { x: at, y: 366, "text-anchor": "middle" }, text));
  }
  const guessed = slots.filter((slot) => !slot.rate_published);
  if (guessed.length) {
    svg.append(drawn("rect", {
      x: x(guessed[0].start), y: 30, width: right - x(guessed[0].start), height: 120,
      fill: "var(--line)", opacity: 0.35,
    }));
    svg.append(drawn("text", { x: x(guessed[0].start) + 4, y: 42 }, "rates forecast"));
  }
  for (const line of LINES) {
    svg.append(drawn("path", {
      d: path(slots, line, x, panels[line.axis].y), fill: "none", "stroke-width": 2,
      stroke: `var(${COLOURS[line.key]})`, "stroke-linejoin": "round",
    }));
  }
  const pointer = drawn("line", { y1: 8, y2: 350, stroke: "var(--ink)", visibility: "hidden" });
  svg.append(pointer);
  const point = (event) => {
    const at = (event.clientX - svg.getBoundingClientRect().left) / svg.clientWidth * width;
    const slot = slots.find((each) => at < x(each.end)) ?? slots.at(-1);
    for (const key of ["x1", "x2"]) pointer.setAttribute(key, x(slot.start));
    pointer.setAttribute("visibility", "visible");
    find("hover").textContent = `${dayAndClock(slot.start)} – ${clock(slot.end)}: `
      + `${MODES[slot.mode] ?? slot.mode}. ${slot.reason} Import ${number(slot.import_rate)} p, `
      + `export ${number(slot.export_rate)} p, battery ${number(slot.soc_end_percent, 0)} %.`;
  };
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  find("chart").replaceChildren(svg);
}

function showLegend() {
  const key = (colour, words) => {
    const entry = element("span"), mark = element("i");
    mark.style.background = `var(${colour})`;
    entry.append(mark, words);
    return entry;
  };
  find("legend").replaceChildren(
    ...LINES.map((line) => key(COLOURS[line.key], line.words)),
    ...Object.entries(MODES).map(([mode, words]) => key(`--${mode}`, words)),
  );
}

function showTable(slots) {
  const head = element("tr");
  for (const words of ["From", "Mode", "kW", "Import p", "Export p", "Solar kW", "House kW",
    "Grid kW", "Battery %", "Cost p", "Why"]) head.append(element("th", words, { scope: "col" }));
  const rows = slots.map((slot) => {
    const row = element("tr");
    const rate = slot.rate_published ? {} : { class: "forecast", title: "forecast" };
    row.append(
      element("td", dayAndClock(slot.start)), element("td", MODES[slot.mode] ?? slot.mode),
      element("td", number(slot.power_kw, 2)), element("td", number(slot.import_rate), rate),
      element("td", number(slot.export_rate), rate), element("td", number(slot.solar_kw, 2)),
      element("td", number(slot.load_kw, 2)), element("td", number(slot.grid_kw, 2)),
      element("td", number(slot.soc_end_percent, 0)), element("td", number(slot.cost_p)),
      element("td", slot.reason),
    );
    return row;
  });
  find("table").replaceChildren(head, ...rows);
}

function showHealth(health) {
  find("problems").replaceChildren(...health.problems.map((problem) => element("li", problem)));
  facts(find("health"), [
    ["Status", health.status], ["Control", health.control],
    ["Last cycle", dayAndClock(health.last_cycle)], ["Command", health.command_result ?? "–"],
    ["Rates", health.rates ?? "–"], ["Rates known until", dayAndClock(health.rates_until)],
    ["Rates fetched", dayAndClock(health.rates_fetched_at)],
    ["Solver", health.solver ? `${health.solver.status}, ${number(1000 * health.solver.seconds)} ms` : "–"],
  ]);
}

function show(data) {
  find("status").textContent = `${data.health.status} · ${dayAndClock(data.now)}`;
  find("demo").hidden = data.recommendation.rates !== "demo rates";
  showNow(data);
  showHealth(data.health);
  const slots = data.plan.slots;
  find("no-plan").hidden = slots.length > 0;
  find("no-plan").textContent = slots.length ? "" : data.plan.reason;
  find("chart-box").hidden = slots.length === 0;
  if (slots.length) {
    showChart(slots);
    showTable(slots);
  }
}

let latest = null;

async function refresh() {
  const address = new URL(location.href);
  address.searchParams.set("data", "1");
  try {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    latest = await answer.json();
    show(latest);
  } catch (error) {
    find("status").textContent = `No answer from AppDaemon (${error.message}); trying again`;
  }
}

showLegend();
refresh();
setInterval(refresh, REFRESH_MS);
addEventListener("resize", () => latest && latest.plan.slots.length && showChart(latest.plan.slots));
