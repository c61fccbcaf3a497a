// Bills, what the same house would have paid otherwise, and what this month lost, by cause.

const WAYS = [["no_battery", "No battery"], ["self_use", "Self Use alone"], ["reactive", "Simple rules"]];
const CAUSES = {
  load_forecast: "Load forecast", solar_forecast: "Solar forecast", price_forecast: "Price forecast",
  execution: "Execution", optimizer: "Optimizer",
};

// `savings`: {problem, periods: [a row of battery_optimizer_savings and its name], lost}.
function showSavings(savings) {
  const { problem, periods, lost } = savings;
  find("savings-words").textContent = problem ? `${problem[0].toUpperCase()}${problem.slice(1)}.` : "";
  find("savings-box").hidden = !periods.length;
  if (!periods.length) return;
  const about = (period, value) => ({
    text: `${period.is_estimate ? "≈ " : ""}${money(value)}`, class: "",
    title: period.is_estimate ? "Partly estimated or missing: see below" : "",
  });
  const line = (name, read) => [name, ...periods.map((period) => about(period, read(period)))];
  fillTable(find("savings-table"), "Bills with the standing charge, exports taken off", [["What", "left"], ...periods.map(({ name }) => [name])], [
    line("Your bill", (period) => period.bill_p),
    ...WAYS.map(([way, words]) => line(`Bill with ${lower(words)}`, (period) => period[`${way}_bill_p`])),
    ...WAYS.map(([way, words]) => line(`Saved against ${lower(words)}`, (period) => period[`saved_against_${way}_p`])),
    line("Bought", (period) => period.import_p),
    line("Sold", (period) => period.export_p),
    line("Standing charge", (period) => period.standing_p),
  ]);
  find("savings-notes").replaceChildren(...periods.flatMap(notesOn).map((words) => element("li", words)));
  showLost(lost);
}

const lower = (words) => words === "Self Use alone" ? words : words.toLowerCase();

function notesOn(period) {
  const notes = [];
  if (period.rates_are_demo) notes.push("rates were made up");
  if (period.days_missing) notes.push(`${counted(period.days_missing, "day")} of ${period.days + period.days_missing} without a bill`);
  if (period.half_hours_estimated) notes.push(`${counted(period.half_hours_estimated, "half hour")} of ${period.half_hours} estimated`);
  if (period.half_hours_missing) notes.push(`${counted(period.half_hours_missing, "half hour")} of ${period.half_hours} missing and not counted`);
  if (period.days_without_standing_charge) notes.push("standing charge not known");
  const stored = period.stored_more_than_self_use_kwh;
  if (isKnown(stored) && Math.abs(stored) >= 0.5) {
    notes.push(`the battery ended with ${number(Math.abs(stored))} kWh ${stored > 0 ? "more" : "less"} than Self Use would have left, which no bill shows`);
  }
  return notes.length ? [`${period.name}: ${notes.join("; ")}.`] : [];
}

const counted = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;

function showLost(lost) {
  find("lost-box").hidden = !lost;
  if (!lost) return;
  find("lost-words").textContent = `This month, over the ${counted(lost.days, "day")} looked back on, ${money(lost.distance_p)} `
    + "short of what perfect foresight would have got; by cause (below zero: luck):";
  facts(find("lost"), Object.entries(CAUSES).map(([cause, words]) => [words, money(lost.parts_p[cause])]));
}
