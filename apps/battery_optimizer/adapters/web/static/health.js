// Whether all is well, and what there is to work with.

function showHealth(health, now, reason) {
  const [tone, words] = HEALTH[health.status] ?? ["bad", health.status];
  find("pill").textContent = words;
  find("pill").className = `pill ${tone}`;
  find("updated").textContent = health.last_cycle ? `updated ${ago(health.last_cycle, now)}` : "";
  const problems = health.problems.length ? health.problems.map((problem) => element("li", problem)) : [];
  find("problems").replaceChildren(...problems);
  showTrouble(health, reason);
  const solver = health.solver;
  facts(find("health"), [
    ["Status", words],
    ["Control", health.control === "read_only" ? "read-only: nothing is sent" : "active"],
    ["Last command", COMMANDS[health.command_result] ?? "–"],
    ["Written to the inverter today", isKnown(health.writes_today) ? `${counted(health.writes_today, "value")}; a mode and its power are two` : "–"],
    ["House read", ago(health.measured_at, now)],
    ["Plan made", ago(health.plan_made_at, now)],
    ["Rates fetched", ago(health.rates_fetched_at, now)],
    ["Rates published until", health.rates === "demo rates" ? "demo rates" : dayAndClock(health.rates_until)],
    ["Last error of the rates", health.rates_error ? once(health.rates_error, health.problems) : "none"],
    ["Solar forecast", health.solar_source ? `${health.solar_source}, ${ago(health.solar_issued_at, now)}` : "–"],
    ["Solver", solver ? `${solver.status}, ${number(1000 * solver.seconds, 0)} ms, at most ${number(solver.gap_p, 2)} p from the best` : "–"],
    ["App started", ago(health.started_at, now)],
  ]);
}

// What keeps a plan from being made stands at the top, unless the reason tells it; what can be done
// without is in Health alone.
function showTrouble({ status, problems }, reason) {
  const isCalm = ["ok", "degraded", "starting"].includes(status) || !problems.length || reason.includes(problems[0]);
  find("trouble").hidden = isCalm;
  find("trouble").textContent = isCalm ? "" : unbroken(sentence(problems[0]));
}

const PRESENCE = { found: "", missing: "Missing: ", optional: "Optional: " };

// What stands among the problems already is not told again.
const once = (words, problems) => problems.some((problem) => problem.includes(words)) ? "see the problem above" : words;

function showFound(found, problems) {
  const missing = found.filter((each) => each.presence === "missing").length;
  find("found-words").textContent = !found.length ? "Not looked yet."
    : missing ? `${missing} ${missing === 1 ? "thing is" : "things are"} missing; what to do stands beside ${missing === 1 ? "it" : "them"}.`
      : "All that is needed is there.";
  find("found").replaceChildren(...found.map((each) => {
    const item = element("li", null, { class: each.presence });
    item.append(element("b", each.about), element("p", each.words, { class: "small" }));
    if (each.advice) item.append(element("p", PRESENCE[each.presence] + once(each.advice, problems), { class: "small soft" }));
    return item;
  }));
}
