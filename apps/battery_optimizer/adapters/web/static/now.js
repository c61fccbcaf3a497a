// What is so now, what is planned, and whether all is well.

function showNow(data) {
  const { recommendation, measured, plan, outlook } = data;
  const mode = recommendation.mode;
  const notSent = { read_only: " (read-only: not sent)", failed: " (refused by the inverter)", paused: " (commands are paused)" };
  find("mode").textContent = mode
    ? modeWords(mode, recommendation.power_kw) + (notSent[recommendation.command_result] ?? "") : "No plan yet";
  const seen = actsAs(mode, recommendation.power_kw);
  dot(find("mode"), seen ?? "self_use");
  find("mode-words").textContent = MODES[seen] ? `${MODES[seen][1]} ${inAppWords(mode, recommendation.power_kw)}` : "";
  find("reason").textContent = unbroken(sentence(recommendation.reason));
  showGauge(measured.soc_percent, recommendation.expected_soc, data.house.reserve_percent);
  showPowers(measured);
  const isMetered = [measured.solar_kw, measured.load_kw, measured.battery_kw, measured.grid_kw].some(isKnown);
  find("powers-words").hidden = recommendation.command_result !== "applied" || !isMetered;
  const slot = plan.slots[0];
  const rateClass = outlook && outlook.rate_class ? ` (${outlook.rate_class})` : "";
  facts(find("rates"), slot ? [
    ["Buying costs", `${number(slot.import_rate)} p/kWh${rateClass}`],
    ["Selling earns", `${number(slot.export_rate)} p/kWh`],
    [`One more stored kWh ${slot.energy_value < 0 ? "costs" : "saves"}`, `${number(Math.abs(slot.energy_value))} p`],
    ...outlook.days.flatMap((day) => windowsOf(day, data.now)),
  ] : [["Rates", recommendation.rates ?? "not known yet"]]);
  showSaved(data.savings.periods);
  const others = (plan.alternatives ?? []).filter((other) => actsAs(other.mode, other.power_kw) !== seen);
  showAlternatives(others, plan.slots.length > 0);
  showComing(plan.slots);
}

// The cheapest and the dearest hours of a day, or all there are, where both are the same.
function windowsOf({ name, cheapest, dearest }, now) {
  if (!cheapest || !dearest) return [];
  if (cheapest.start === dearest.start && cheapest.end === dearest.end) {
    return [[name === "today" ? "The rest of today" : `All of ${name}`, windowWords(cheapest, now)]];
  }
  return [[`Cheapest ${name}`, windowWords(cheapest, now)], [`Dearest ${name}`, windowWords(dearest, now)]];
}

// `{start, end, lowest, highest, is_published}` of some hours of a day that are still to come.
function windowWords(window, now) {
  const start = Date.parse(window.start) <= Date.parse(now) ? "now" : clock(window.start);
  return `${start}–${clock(window.end)}, ${range(window.lowest, window.highest)} p${window.is_published ? "" : " (forecast)"}`;
}

// What it is for, at one glance; the bills themselves are further down.
function showSaved(periods) {
  find("saved-box").hidden = !periods.length;
  facts(find("saved"), periods.slice(0, 3).map(inPence).map((period) => [
    period.name,
    element("span", `${period.is_estimate ? "≈ " : ""}${pounds(period.saved_against_self_use_p)}`, { class: period.saved_against_self_use_p > 0 ? "gain" : "" }),
  ]));
  const stored = periods.length && periods[0].name === TODAY ? storedWords(periods[0]) : "";
  find("saved-words").textContent = stored ? unbroken(`Not counted: ${stored}.`) : "";
}

function showGauge(soc, expected, reserve) {
  const gauge = find("gauge");
  gauge.hidden = !isKnown(soc);
  find("gauge-words").textContent = isKnown(soc) ? "" : "How full the battery is cannot be read just now.";
  if (!isKnown(soc)) return;
  gauge.setAttribute("aria-valuenow", soc);
  gauge.setAttribute("aria-valuetext", `${number(soc, 0)} %`);
  find("gauge-fill").style.width = `${soc}%`;
  find("gauge-reserve").style.left = `${reserve}%`;
  find("gauge-text").textContent = `${number(soc, 0)} %`;
  find("gauge-words").textContent = isKnown(expected)
    ? unbroken(`${number(expected, 0)} % expected at the end of this half hour; ${number(reserve, 0)} % is kept in reserve.`) : "";
}

const signed = (value, positive, negative) => !isKnown(value) || Math.abs(value) < 0.005
  ? "" : value > 0 ? positive : negative;

function showPowers({ solar_kw: solar, load_kw: load, battery_kw: battery, grid_kw: grid }) {
  const power = (value) => isKnown(value) ? `${number(Math.abs(value), 2)} kW` : "not metered";
  const tile = (icon, tint, name, value) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `#icon-${icon}`);
    svg.append(use);
    svg.style.setProperty("--tile", `var(${tint})`);
    const item = element("li"), words = element("div");
    words.append(element("span", name), element("b", value));
    item.append(svg, words);
    return item;
  };
  find("powers").replaceChildren(
    tile("solar", "--solar", "Solar", power(solar)),
    tile("house", "--load", "House", power(load)),
    tile("battery", "--soc", `Battery${signed(battery, ", discharging", ", charging")}`, power(battery)),
    tile("grid", "--import", `Grid${signed(grid, ", buying", ", selling")}`, power(grid)),
  );
}

function showAlternatives(others, hasPlan) {
  const items = others.map((other) => {
    const item = element("li"), extra = other.extra_cost_p;
    const cost = Math.abs(extra) < 0.05 ? "the same" : extra > 0 ? `${money(extra)} more` : `${money(-extra)} less`;
    item.append(badge(other.mode, other.power_kw), element("b", cost));
    return item;
  });
  const nothing = hasPlan ? "Nothing else is priced now." : "Nothing to compare yet.";
  find("alternatives").replaceChildren(...items.length ? items : [element("li", nothing)]);
}

function showComing(slots) {
  const runs = runsOf(slots).slice(1, 6);
  const items = runs.map((run) => {
    const item = element("li");
    item.append(badge(run.mode), element("b", `${weekday(run.start)} ${span(run.start, run.end)}`));
    return item;
  });
  const until = slots.length ? `No change until ${dayAndClock(slots.at(-1).end)}.` : "Not known yet.";
  find("coming").replaceChildren(...items.length ? items : [element("li", until)]);
}

let planFigure = null, planDrawn = "";

function showPlan(plan, reserve) {
  const { slots } = plan;
  find("plan-box").hidden = slots.length === 0;
  if (!slots.length) {
    find("plan-words").textContent = `There is no plan to draw. ${sentence(plan.reason)}`;
    if (planFigure) planFigure.remove();
    planFigure = null;
    planDrawn = "";
    return;
  }
  const until = dayAndClock(slots.at(-1).end);
  const paid = isKnown(plan.sessions_p) ? `, and about ${money(plan.sessions_p)} that Octopus's sessions pay taken off` : "";
  const bill = plan.cost_p < 0 ? `earns ${money(-plan.cost_p)}` : `costs ${money(plan.cost_p)}`;
  find("plan-words").textContent = `Until ${until}, made ${dayAndClock(plan.made_at)}; electricity ${bill}, standing charge apart${paid}.`
    + (plan.warnings ?? []).map((warning) => ` ${warning}`).join("");
  const told = JSON.stringify(slots);
  if (told === planDrawn) return;
  planDrawn = told;
  drawPlan(slots, reserve);
  planTable(slots);
}

function drawPlan(slots, reserve) {
  const picked = planFigure && planFigure.index ? planFigure.slots[planFigure.index].start : null;
  if (planFigure) planFigure.remove();
  const of = (key, when = () => true) => slots.map((slot) => when(slot) ? slot[key] : null);
  const published = (slot) => slot.rate_published, forecast = (slot) => !slot.rate_published;
  const rates = (key, words, tint) => [
    { words, colour: tint, values: of(key, published) },
    { colour: tint, values: of(key, forecast), dash: true },
  ];
  const guessed = slots.find(forecast);
  const limit = (sign) => slots.map((slot) => sign * Math.max(0, sign * slot.grid_kw));
  planFigure = new Figure(find("plan-chart"), {
    label: "Plan", slots, runs: runsOf(slots), forecastFrom: guessed ? guessed.start : null, describe: (index, box) => describePlanned(slots[index], box),
    panels: [
      {
        title: "Rates, p/kWh", height: 150, hasRates: true, range: around([of("import_rate"), of("export_rate")]),
        series: [...rates("import_rate", "Buying", "--import"), ...rates("export_rate", "Selling", "--export")],
      },
      {
        title: "Battery, %", height: 110, range: percentRange,
        series: [
          { words: "Charge level", colour: "--soc", isLine: true, values: [...of("soc_start_percent"), slots.at(-1).soc_end_percent] },
          { words: "Kept in reserve", colour: "--planned", dash: true, values: slots.map(() => reserve) },
          ...band(slots),
        ],
        bands: isKnown(slots[0].soc_low_percent) ? [{ series: [3, 4], fill: "--soc" }] : [],
      },
      {
        title: "Power, kW", height: 150, range: around([of("solar_kw"), of("load_kw"), of("grid_kw")]),
        series: [
          { words: "Solar", colour: "--solar", fill: true, values: areas(of("solar_kw")) },
          { words: "From the grid", colour: "--import", fill: true, values: areas(limit(1)) },
          { words: "To the grid", colour: "--export", fill: true, values: areas(limit(-1)) },
          { words: "House", colour: "--load", values: of("load_kw") },
        ],
      },
    ],
  });
  const again = slots.findIndex((slot) => slot.start === picked);
  if (again > 0) planFigure.pick(again);
}

// Where the charge level may be if the house uses more or less, and the sun gives less or more.
function band(slots) {
  if (!isKnown(slots[0].soc_low_percent)) return [];
  const edge = (key, words) => (
    { words, colour: "--soc", isLine: true, isEdge: true, values: [slots[0].soc_start_percent, ...slots.map((slot) => slot[key])] });
  return [edge("soc_high_percent", "Likely range"), edge("soc_low_percent")];
}

function describePlanned(slot, box) {
  const when = `${weekday(slot.start)} ${span(slot.start, slot.end)}`;
  const title = element("p");
  title.append(element("strong", `${when} `), badge(slot.mode, slot.power_kw));
  const figures = element("dl", null, { class: "facts" });
  const rate = slot.rate_published ? "" : " (forecast)";
  facts(figures, [
    ["Buying", `${number(slot.import_rate)} p${rate}`], ["Selling", `${number(slot.export_rate)} p${rate}`],
    ["Battery", `${number(slot.soc_start_percent, 0)} → ${number(slot.soc_end_percent, 0)} %${likely(slot)}`],
    ["Solar", `${number(slot.solar_kw, 2)} kW`], ["House", `${number(slot.load_kw, 2)} kW`],
    [`Grid${signed(slot.grid_kw, ", buying", ", selling")}`, `${number(Math.abs(slot.grid_kw), 2)} kW`],
    [slot.cost_p < 0 ? "Earns" : "Costs", money(Math.abs(slot.cost_p))],
  ]);
  box.replaceChildren(title, element("p", slot.reason), figures);
  const seen = actsAs(slot.mode, slot.power_kw);
  if (seen !== slot.mode) box.append(element("p", inAppWords(slot.mode, slot.power_kw), { class: "soft small" }));
  dot(box, seen);
  return `${when}: ${modeWords(slot.mode, slot.power_kw)}. ${slot.reason}`;
}

// Where the charge level may end, where that is not all the same.
function likely({ soc_low_percent: low, soc_high_percent: high }) {
  if (!isKnown(low)) return "";
  const [least, most] = [number(low, 0), number(high, 0)];
  return least === most ? "" : ` (${least} to ${most})`;
}

function planTable(slots) {
  const columns = [["From", "left"], ["Mode", "left"], ["Buying p"], ["Selling p"], ["Solar kW"], ["House kW"], ["Battery kW"], ["Grid kW"], ["Battery %"], ["Cost p"], ["Why", "words"]];
  const rate = (slot, key) => slot.rate_published ? number(slot[key]) : { text: number(slot[key]), class: "forecast", title: "forecast" };
  fillTable(find("plan-table"), "Rates in italics are forecast. Battery: positive gives; grid: positive buys.", columns, slots.map((slot) => [
    dayAndClock(slot.start), badge(slot.mode, slot.power_kw), rate(slot, "import_rate"), rate(slot, "export_rate"),
    number(slot.solar_kw, 2), number(slot.load_kw, 2), number(slot.battery_kw, 2), number(slot.grid_kw, 2),
    number(slot.soc_end_percent, 0), number(slot.cost_p), slot.reason,
  ]));
}
