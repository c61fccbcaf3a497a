// What was expected of load and sun, and what came: the last fortnight, day by day.

async function showForecasts() {
  try {
    drawForecasts(await ask({ forecasts: 1 }));
  } catch (error) {
    find("forecasts-words").textContent = sentence(error.message);
    find("forecasts-box").hidden = true;
  }
}

function drawForecasts(told) {
  find("forecasts-box").hidden = told.reason !== null;
  if (told.reason) {
    find("forecasts-words").textContent = sentence(told.reason);
    return;
  }
  const { load, solar } = told.all;
  const off = (side, words) => side
    ? `The forecast of the ${words} was off by ${number(side.error_kw, 2)} kW on average; all together it was ${lean(side.bias_kw)}.` : "";
  find("forecasts-words").textContent = [off(load, "house"), off(solar, "sun")].filter(Boolean).join(" ");
  const cells = (side) => side
    ? [number(side.expected_kwh, 1), number(side.metered_kwh, 1), number(side.error_kw, 2)] : ["–", "–", "–"];
  const row = (name, each) => [name, ...cells(each.load), ...cells(each.solar)];
  const columns = [["Day", "left"], ["House plan"], ["came"], ["off kW"], ["Sun plan"], ["came"], ["off kW"]];
  fillTable(find("forecasts-table"),
    "kWh over the half hours that were planned and metered; the plan is the last one before each half hour.", columns,
    [...told.days.map((each) => row(`${weekday(`${each.day}T12:00Z`)}\u00a0${Number(each.day.slice(8))}`, each)), row("All", told.all)]);
  drawLeads(told.yesterday);
}

const lean = (bias) => Math.abs(bias) < 0.005 ? "neither too high nor too low"
  : `${number(Math.abs(bias), 2)} kW too ${bias > 0 ? "high" : "low"}`;

function drawLeads(yesterday) {
  find("leads-details").hidden = !yesterday;
  if (!yesterday) return;
  const hours = Math.max(yesterday.load.length, yesterday.solar.length);
  const side = (list, at) => list[at] ? [number(list[at].error_kw, 2), number(list[at].bias_kw, 2)] : ["–", "–"];
  fillTable(find("leads-table"), "Mean error and bias (expected less metered) in kW.",
    [["Hours ahead", "left"], ["House off by"], ["bias"], ["Sun off by"], ["bias"]],
    Array.from({ length: hours }, (_, at) => [String(at), ...side(yesterday.load, at), ...side(yesterday.solar, at)]));
}
