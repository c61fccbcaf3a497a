// Bills, what the same house would have paid otherwise, and what this month lost, by cause.

const WAYS = [["no_battery", "No battery"], ["self_use", "Self Use alone"], ["reactive", "Simple rules"]];
const CAUSES = {
  load_forecast: "Load forecast", solar_forecast: "Solar forecast", price_forecast: "Price forecast",
  execution: "Execution", optimizer: "Optimizer",
};

const COMPARED = [["bill_p", "Yours", "--soc"], ["self_use_bill_p", "Self Use alone", "--load"], ["no_battery_bill_p", "No battery", "--planned"]];
const TODAY = "Today so far";
let billsFigure = null;

// `savings`: {problem, periods: [a row of battery_optimizer_savings and its name], lost}.
function showSavings({ savings, house, measured }) {
  const { problem, lost } = savings, periods = savings.periods.map(inPence);
  find("savings-words").textContent = problem ? sentence(problem) : periods.length ? "" : "There is no bill yet.";
  find("savings-box").hidden = !periods.length;
  if (!periods.length) return;
  const line = (name, key) => [name, ...periods.map((period) => pounds(period[key]))];
  const guess = periods.some((period) => period.is_estimate) ? "; ≈ is partly estimated or missing, see below" : "";
  fillTable(find("savings-table"), `Standing charge included, exports taken off${guess}`,
    [["What", "left"], ...periods.map(({ name, is_estimate: isEstimate }) => [`${name}${isEstimate ? " ≈" : ""}`])], [
      "Bill", line("Yours", "bill_p"), ...WAYS.map(([way, words]) => line(words, `${way}_bill_p`)),
      "Saved against", ...WAYS.map(([way, words]) => line(words, `saved_against_${way}_p`)),
      "In your bill", line("Bought", "import_p"), line("Sold", "export_p"), line("Standing charge", "standing_p"),
    ]);
  find("savings-notes").replaceChildren(...[...periods.flatMap(notesOn), ...stillStored(periods, house, measured)].map((words) => element("li", words)));
  showLost(lost);
}

// The last thirty days as a chart, the last twelve months as a table.
async function showBills(data) {
  if (!data.savings.periods.length) return;
  try {
    const days = await ask({ savings: 1, by: "day", from: dayBeside(localDay(data.now), -30) });
    const months = await ask({ savings: 1, by: "month" });
    drawBills(days.rows);
    monthsTable(months.rows);
  } catch (error) {
    find("bills-words").textContent = sentence(error.message);
  }
}

function drawBills(rows) {
  if (billsFigure) billsFigure.remove();
  billsFigure = null;
  find("bills-words").textContent = rows.length ? "" : "No day has a bill yet.";
  if (!rows.length) return;
  const known = new Map(rows.map((row) => [row.first_day, row]));
  const slots = [];
  for (let day = rows[0].first_day; day <= rows.at(-1).first_day; day = dayBeside(day, 1)) {
    slots.push({ start: midnight(day), end: midnight(dayBeside(day, 1)), row: known.get(day) });
  }
  const of = (key) => slots.map(({ row }) => row && isKnown(row[key]) ? row[key] / 100 : null);
  billsFigure = new Figure(find("bills-chart"), {
    label: "Bills", slots, isByDay: true, describe: (index, box) => describeBill(slots[index], box),
    panels: [{
      title: "Bill by day, £", height: 190, range: around(COMPARED.map(([key]) => of(key)), 0.2),
      series: COMPARED.map(([key, words, tint], at) => ({ words, colour: tint, values: of(key), fill: at === 0, dash: at === 2 })),
    }],
  });
  billsFigure.pick(slots.length - 1);
}

function describeBill({ start, row: found }, box) {
  const title = element("p"), day = longDay(start), row = found && inPence(found);
  title.append(element("strong", day));
  if (!row) {
    box.replaceChildren(title, element("p", "No bill for this day.", { class: "soft" }));
    return `${day}: no bill`;
  }
  const figures = element("dl", null, { class: "facts" });
  facts(figures, [
    ["Yours", `${row.is_estimate ? "≈ " : ""}${pounds(row.bill_p)}`],
    ...WAYS.map(([way, words]) => [words, pounds(row[`${way}_bill_p`])]),
    ["Bought", `${number(row.import_kwh)} kWh`], ["Sold", `${number(row.export_kwh)} kWh`],
  ]);
  box.replaceChildren(title, figures);
  return `${day}: ${pounds(row.bill_p)}, with Self Use alone ${pounds(row.self_use_bill_p)}`;
}

function monthsTable(rows) {
  const month = formatter({ month: "short", year: "numeric" });
  fillTable(find("months-table"), "≈ is partly estimated, or has days missing",
    [["Month", "left"], ["Your bill"], ["Self Use alone"], ["Saved"], ["Bought kWh"], ["Sold kWh"]],
    rows.toReversed().map(inPence).map((row) => [
      `${month(`${row.first_day}T12:00Z`)}${row.is_estimate ? " ≈" : ""}`, pounds(row.bill_p), pounds(row.self_use_bill_p),
      pounds(row.saved_against_self_use_p), number(row.import_kwh, 0), number(row.export_kwh, 0),
    ]));
}

// What a bill of today cannot show, and no house without a battery has.
function stillStored(periods, house, measured) {
  const kwh = (measured.soc_percent - house.reserve_percent) / 100 * house.capacity_kwh;
  if (periods[0].name !== TODAY || !isKnown(measured.soc_percent) || kwh < 0.5) return [];
  return [`Today so far: the battery holds ${number(kwh)} kWh above its reserve. What that saves later is in no figure yet, so that today may look worse than with No battery until it is used.`];
}

// What the battery holds at a period's end, beside what Self Use would have left in it.
function storedWords({ name, stored_more_than_self_use_kwh: kwh }) {
  if (!isKnown(kwh) || Math.abs(kwh) < 0.5) return "";
  const holds = name === "Yesterday" ? "ended with" : "now holds";
  return `the battery ${holds} ${number(Math.abs(kwh))} kWh ${kwh > 0 ? "more" : "less"} than it would with Self Use alone`;
}

function notesOn(period) {
  const notes = [];
  if (period.rates_are_demo) notes.push("rates were made up");
  if (period.days_missing) notes.push(`${counted(period.days_missing, "day")} of ${period.days + period.days_missing} without a bill`);
  if (period.half_hours_estimated) notes.push(`${counted(period.half_hours_estimated, "half hour")} of ${period.half_hours} estimated`);
  if (period.half_hours_missing) notes.push(`${counted(period.half_hours_missing, "half hour")} of ${period.half_hours} missing and not counted`);
  const unknown = period.days_without_standing_charge;
  if (unknown) notes.push(period.days > 1 ? `standing charge of ${counted(unknown, "day")} not known` : "standing charge not known");
  if (isKnown(period.sessions_p)) {
    notes.push(`Octopus's sessions pay about ${pounds(period.sessions_p)} besides (with Self Use alone ${pounds(period.self_use_sessions_p)}), which is an estimate and in no figure above`);
  }
  const stored = storedWords(period);
  if (stored) notes.push(`${stored}, which no bill shows`);
  return notes.length ? [`${period.name}: ${notes.join("; ")}.`] : [];
}

function showLost(lost) {
  find("lost-box").hidden = !lost;
  if (!lost) return;
  find("lost-words").textContent = lost.days
    ? `This month, over the ${counted(lost.days, "day")} looked back on, ${money(lost.distance_p)} `
      + "short of what perfect foresight would have got; by cause (below zero: luck):"
    : "No day of this month has been looked back on yet.";
  const parts = (of) => addingUp(of.distance_p, Object.keys(CAUSES).map((cause) => of.parts_p[cause]), 0.1).map(money);
  const monthly = lost.days ? parts(lost) : [];
  facts(find("lost"), monthly.map((lostP, at) => [Object.values(CAUSES)[at], lostP]));
  fillTable(find("lost-table"), "Of each of the last seven days, as far as they were looked back on; energy is the bill without the standing charge",
    [["Day", "left"], ["Energy"], ["Short by"], ...Object.values(CAUSES).map((words) => [words])],
    lost.lately.map((day) => [dayWords(day), money(day.bill_p), money(day.distance_p), ...parts(day)]));
  find("lost-notes").replaceChildren(...lost.lately.flatMap(lostNotes).map((words) => element("li", words)));
}

function lostNotes(day) {
  const notes = [];
  if (day.half_hours_not_metered) notes.push(`${counted(day.half_hours_not_metered, "half hour")} not metered, taken as the mean of those beside.`);
  if (day.half_hours_of_sessions) notes.push("a session of Octopus was on. What it pays is not in these figures, so that what was done for it counts as lost.");
  return notes.map((words) => `${dayWords(day)}: ${words}`);
}

function dayWords({ day }) {
  const noon = `${day}T12:00Z`;
  return `${weekday(noon)} ${shortDay(noon)}`;
}
