// A past day: what was planned, what was metered, and each decision with its reason.

let pastFigure = null, pastAsked = 0;

const localDay = (time) => new Intl.DateTimeFormat("en-CA", { timeZone: ZONE }).format(new Date(time));
const FLOWS = [
  ["grid_import_kwh", "Bought"], ["grid_export_kwh", "Sold"], ["load_kwh", "House"],
  ["solar_kwh", "Solar"], ["charge_kwh", "Into the battery"], ["discharge_kwh", "Out of the battery"],
];

// Calendar arithmetic at noon, so that clock changes do not matter.
function dayBeside(day, days) {
  const noon = new Date(`${day}T12:00:00Z`);
  noon.setUTCDate(noon.getUTCDate() + days);
  return noon.toISOString().slice(0, 10);
}

// When a local day begins: in summer its clock is an hour ahead of UTC's.
function midnight(day) {
  const utc = Date.parse(`${day}T00:00Z`);
  return new Date(utc - HOUR * Number(clock(utc).slice(0, 2))).toISOString();
}

async function showDay() {
  const day = find("day").value, asked = ++pastAsked;
  find("day-after").disabled = !day || day >= find("day").max;
  if (!day) return;
  try {
    const told = await ask({ day });
    if (asked === pastAsked) drawDay(told);
  } catch (error) {
    if (asked === pastAsked) nothingOfDay(sentence(error.message));
  }
}

function nothingOfDay(words) {
  find("past-words").textContent = words;
  find("past-box").hidden = true;
  if (pastFigure) pastFigure.remove();
  pastFigure = null;
}

function drawDay(told) {
  if (told.reason) {
    nothingOfDay(sentence(told.reason));
    return;
  }
  find("past-box").hidden = false;
  const demo = told.rates_are_demo ? " Rates were made up." : "";
  find("past-words").textContent = `${longDay(told.start)}${told.is_today ? ", so far" : ""}: ${counted(told.n_cycles, "decision")}, `
    + `${counted(told.n_commands, "command")} sent to the inverter (a mode with its power).${demo}`;
  const picked = pastFigure ? pastFigure.index : lastKnown(told);
  if (pastFigure) pastFigure.remove();
  pastFigure = told.slots.length ? dayFigure(told) : null;
  if (pastFigure && picked) pastFigure.pick(picked);
  totalsTable(told);
  decisionsList(told.decisions);
}

// Of today the half hour that runs; of another day its first.
const lastKnown = ({ is_today: isToday, start, slots }) => isToday && slots.length
  ? (Date.parse(slots.at(-1).start) - Date.parse(start)) / HALF_HOUR : 0;

// Every half hour of the day, known or not, so that gaps are seen as gaps.
function wholeDay(told) {
  const known = new Map(told.slots.map((slot) => [Date.parse(slot.start), slot]));
  const slots = [];
  for (let time = Date.parse(told.start); time < Date.parse(told.end); time += HALF_HOUR) {
    const [start, end] = [time, time + HALF_HOUR].map((moment) => new Date(moment).toISOString());
    slots.push(known.get(time) ?? { start, end, import_rate: null, export_rate: null, planned: null, metered: null });
  }
  return slots;
}

function dayFigure(told) {
  const slots = wholeDay(told);
  const kw = (side, flow) => slots.map((slot) => slot[side] && isKnown(slot[side][flow]) ? 2 * slot[side][flow] : null);
  const grid = (side) => {
    const bought = kw(side, "grid_import_kwh"), sold = kw(side, "grid_export_kwh");
    return bought.map((value, at) => isKnown(value) && isKnown(sold[at]) ? value - sold[at] : null);
  };
  // What is stored at a slot's end stands where the next begins.
  const soc = (side) => [null, ...slots.map((slot) => slot[side] ? slot[side].soc_percent : null)];
  const pair = (words, tint, values) => [
    { words: `${words}, metered`, colour: tint, values: values("metered") },
    { words: "planned", colour: tint, values: values("planned"), dash: true },
  ];
  const sides = ["planned", "metered"];
  const rates = ["import_rate", "export_rate"].map((key) => slots.map((slot) => slot[key]));
  return new Figure(find("past-chart"), {
    label: "Past day", slots, runs: modesOf(told), describe: (index, box) => describePast(slots[index], box),
    panels: [
      {
        title: "Rates, p/kWh", height: 100, range: around(rates),
        series: [{ words: "Buying", colour: "--import", values: rates[0] }, { words: "Selling", colour: "--export", values: rates[1] }],
      },
      {
        title: "Battery, %", height: 110, range: percentRange,
        series: pair("Charge level", "--soc", soc).map((series) => ({ ...series, isLine: true })),
      },
      {
        title: "Grid, kW", height: 120, range: around(sides.map(grid)),
        series: pair("Bought, or sold below 0", "--import", grid),
      },
      {
        title: "House and sun, kW", height: 120, range: around(sides.flatMap((side) => [kw(side, "load_kwh"), kw(side, "solar_kwh")])),
        series: [...pair("House", "--load", (side) => kw(side, "load_kwh")), ...pair("Solar", "--solar", (side) => kw(side, "solar_kwh"))],
      },
    ],
  });
}

// Each mode until the next decision, or for half an hour where none followed; of today until now.
function modesOf({ decisions, end }) {
  return runsOf(decisions.map((run, at) => {
    const next = Date.parse(decisions[at + 1] ? decisions[at + 1].from : end);
    const until = Math.min(next, Date.parse(run.to) + HALF_HOUR, Date.parse(latest.now));
    return { mode: run.mode, power_kw: run.power_kw, start: run.from, end: new Date(until).toISOString() };
  }));
}

function describePast(slot, box) {
  const when = span(slot.start, slot.end);
  const title = element("p");
  const rates = isKnown(slot.import_rate) ? `buying ${number(slot.import_rate)} p, selling ${number(slot.export_rate)} p` : "rates not known";
  title.append(element("strong", `${when} `), unbroken(rates));
  if (!slot.planned && !slot.metered) {
    box.replaceChildren(title, element("p", "Nothing was recorded.", { class: "soft" }));
    return `${when}: nothing was recorded`;
  }
  const value = (side, flow, unit, digits) => slot[side] && isKnown(slot[side][flow]) ? `${number(slot[side][flow], digits)} ${unit}` : "–";
  const rows = [...FLOWS.map(([flow, words]) => [words, flow, "kWh", 2]), ["Battery at the end", "soc_percent", "%", 0]];
  const figures = element("dl", null, { class: "facts" });
  facts(figures, rows.map(([words, flow, unit, digits]) => {
    const cell = element("span", value("metered", flow, unit, digits));
    cell.append(element("span", `planned ${value("planned", flow, unit, digits)}`, { class: "planned" }));
    return [words, cell];
  }));
  box.replaceChildren(title, figures);
  return `${when}: bought ${value("metered", "grid_import_kwh", "kWh", 2)}, planned ${value("planned", "grid_import_kwh", "kWh", 2)}`;
}

function totalsTable({ totals }) {
  const rows = FLOWS.map(([flow, words]) => {
    const { planned, metered } = totals[flow];
    const more = isKnown(planned) && isKnown(metered) ? metered - planned : null;
    return [words, number(planned, 2), number(metered, 2), `${isKnown(more) && more > 0.005 ? "+" : ""}${number(more, 2)}`];
  });
  fillTable(find("past-totals"), "Energy", [["kWh", "left"], ["Planned"], ["Metered"], ["Difference"]], rows);
  find("past-note").textContent = totals.n_slots
    ? `Over the ${totals.n_slots} half hours that are over and have both. Planned is what the last plan before each half hour expected.`
    : "No half hour that is over has both yet.";
}

function decisionsList(decisions) {
  find("past-decisions").replaceChildren(...decisions.toReversed().map((run) => {
    const time = clock(run.from) === clock(run.to) ? clock(run.from) : `${clock(run.from)}–${clock(run.to)}`;
    const head = element("p");
    head.append(element("strong", `${time} `), badge(run.mode, run.power_kw), ` battery ${number(run.soc_percent, 0)}\u00a0%`);
    const results = run.command_results.map((result) => COMMANDS[result] ?? result).join("; ");
    const item = element("li");
    item.append(head, element("p", run.reason), ...[...run.problems, results].map((words) => element("p", words, { class: "soft small" })));
    return dot(item, actsAs(run.mode, run.power_kw));
  }));
}

function startPast() {
  find("day").addEventListener("change", showDay);
  find("day-before").addEventListener("click", () => moveDay(-1));
  find("day-after").addEventListener("click", () => moveDay(1));
  find("past-form").addEventListener("submit", (event) => event.preventDefault());
}

function moveDay(days) {
  if (!find("day").value) find("day").value = find("day").max;
  find("day").value = dayBeside(find("day").value, days);
  showDay();
}

// At each cycle: today is another day now, or has more to show.
function pastAt(now) {
  const today = localDay(now), input = find("day");
  const wasToday = !input.value || input.value === input.max;
  input.max = today;
  if (wasToday) input.value = today;
  if (wasToday || !pastFigure) showDay();
}
