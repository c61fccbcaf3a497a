// Asks again and again, less often while nobody answers, and says so meanwhile.

const REFRESH_MS = 30e3, FIRST_RETRY_MS = 3e3, LAST_RETRY_MS = 60e3, PATIENCE_MS = 15e3;
let latest = null, lastCycle = null, timer = null, retryMs = FIRST_RETRY_MS, isAsking = false;

const APP_AWAY = "AppDaemon is there, but the app is not running: Home Assistant may be away, or a setting is wrong (see AppDaemon's log)";
const ALL_AWAY = "AppDaemon does not answer";

async function ask(query) {
  const address = new URL(location.href);
  address.hash = "";
  address.search = new URLSearchParams(query);
  const stop = new AbortController();
  const patience = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(address, { signal: stop.signal, cache: "no-store" }).catch(() => { throw new Error(ALL_AWAY); });
    const isOurs = (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
    if (!isOurs) throw new Error(APP_AWAY);
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error ?? `HTTP ${answer.status}`);
    return told;
  } finally {
    clearTimeout(patience);
  }
}

function show(data) {
  find("demo").hidden = data.recommendation.rates !== "demo rates";
  showHealth(data.health, data.now, data.recommendation.reason);
  showNow(data);
  showPlan(data.plan, data.house.reserve_percent);
  showSavings(data);
  showFound(data.found, data.health.problems);
  if (data.health.last_cycle !== lastCycle) {
    lastCycle = data.health.last_cycle;
    pastAt(data.now);
    showForecasts();
    showBills(data);
  }
}

function showAway(message) {
  const since = latest ? ` What is shown is from ${dayAndClock(latest.now)}.` : "";
  find("away").textContent = `${message}.${since} Trying again every ${Math.round(retryMs / 1000)} seconds.`;
  find("away").hidden = false;
  find("main").classList.add("away");
  find("pill").textContent = "No answer";
  find("pill").className = "pill bad";
  find("updated").textContent = latest ? `since ${dayAndClock(latest.now)}` : "";
}

async function refresh() {
  if (isAsking) return;
  isAsking = true;
  clearTimeout(timer);
  let wait = REFRESH_MS;
  try {
    latest = await ask({ data: 1 });
    retryMs = FIRST_RETRY_MS;
    find("away").hidden = true;
    find("main").classList.remove("away");
    show(latest);
    // The first plan is soon there, and then what was found.
    if (!latest.plan.slots.length || !latest.found.length) wait = FIRST_RETRY_MS;
  } catch (error) {
    showAway(error.message);
    wait = retryMs;
    retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
  } finally {
    isAsking = false;
    // Unseen pages need not ask.
    if (!document.hidden) timer = setTimeout(refresh, wait);
  }
}

startPast();
refresh();
document.addEventListener("visibilitychange", () => document.hidden || refresh());
addEventListener("online", refresh);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const figure of [planFigure, pastFigure, billsFigure]) if (figure) figure.draw();
});
