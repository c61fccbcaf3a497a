// One figure of several panels over the same time axis, a slider to walk through its half hours,
// and what there is to say of the one picked: by pointer, by touch, or by keyboard.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const FONT = "12px system-ui, sans-serif";
const STRIP = 22;

// A step holds from its slot's start to its end; the last is drawn out to where the axis ends.
function stepped(values) {
  const drawn = [...values, values.at(-1) ?? null];
  const last = values.findLastIndex((value) => isKnown(value));
  if (last >= 0) drawn[last + 1] = values[last];
  return drawn.map((value) => value ?? null);
}

function runsOf(slots) {
  const runs = [];
  for (const slot of slots) {
    const last = runs.at(-1), mode = actsAs(slot.mode, slot.power_kw);
    if (!last || last.mode !== mode || Date.parse(last.end) < Date.parse(slot.start)) {
      runs.push({ mode, start: slot.start, end: slot.end, power_kw: slot.power_kw });
      continue;
    }
    last.end = slot.end;
    // A power is told of a run only if it holds throughout.
    if (last.power_kw !== slot.power_kw) last.power_kw = null;
  }
  return runs;
}

class Figure {
  // `panels`: {title, height, range(), series: [{words, colour, values, isLine, isEdge, dash, fill}], bands}
  // `describe(index, box)` fills the read-out and gives the words for the slider. `runs`: the modes
  // {mode, start, end} that stand above and behind; `isByDay`: each slot is a day.
  constructor(root, { label, slots, panels, describe, runs = [], forecastFrom, isByDay = false }) {
    Object.assign(this, { root, slots, panels, describe, runs, forecastFrom, isByDay, index: 0 });
    this.times = [...slots.map((slot) => Date.parse(slot.start) / 1000), Date.parse(slots.at(-1).end) / 1000];
    this.slider = element("input", null, {
      type: "range", class: "slider", min: 0, max: slots.length - 1, step: 1, value: 0, "aria-label": `${label}: ${isByDay ? "day" : "half hour"}`,
    });
    this.slider.addEventListener("input", () => this.pick(Number(this.slider.value)));
    this.readout = element("div", null, { class: "readout" });
    this.boxes = panels.map((panel, at) => this.box(panel, at === 0));
    root.replaceChildren(...this.boxes.flat(), this.slider, this.readout);
    this.draw();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(root);
  }

  box(panel, isFirst) {
    const head = element("p", null, { class: "panel-head" });
    head.append(element("strong", panel.title));
    for (const series of panel.series) {
      const kind = series.fill || series.isEdge ? "key filled" : series.dash ? "key dashed" : "key";
      const key = element("span", series.words, { class: kind });
      key.style.setProperty("--dot", `var(${series.colour})`);
      if (series.words) head.append(key);
    }
    if (isFirst) head.append(...this.modeKeys());
    const canvas = element("div", null, { role: "img", "aria-label": `${panel.title}: use the slider below, or the table` });
    return [head, canvas];
  }

  modeKeys() {
    const modes = Object.keys(MODES).filter((mode) => this.runs.some((run) => run.mode === mode));
    return modes.map((mode) => dot(element("span", MODES[mode][0], { class: "key filled" }), mode));
  }

  draw() {
    this.width = this.root.clientWidth;
    this.charts = this.panels.map((panel, at) => {
      const box = this.boxes[at][1];
      box.replaceChildren();
      const data = [this.times, ...panel.series.map((series) => series.isLine ? series.values : stepped(series.values))];
      const chart = new uPlot(this.options(panel, at), data, box);
      this.listen(chart);
      return chart;
    });
    this.pick(this.index);
  }

  options(panel, at) {
    const isFirst = at === 0 && this.runs.length > 0, isLast = at === this.panels.length - 1;
    const axis = { stroke: colour("--soft"), font: FONT, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    return {
      width: this.width, height: panel.height + (isFirst ? STRIP : 0) + (isLast ? 22 : 0),
      padding: [isFirst ? STRIP + 8 : 8, 18, isLast ? 0 : 6, 0],
      legend: { show: false }, cursor: { show: false }, select: { show: true },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), ZONE),
      scales: { x: { time: true, range: () => [this.times[0], this.times.at(-1)] }, y: { range: panel.range } },
      axes: [
        {
          ...axis, size: isLast ? 26 : 0, gap: 4, space: this.isByDay ? 56 : 44,
          incrs: (this.isByDay ? [24, 48, 168] : [3, 6, 12, 24]).map((hours) => hours * 3600),
          values: (_, splits) => splits.map((time) => {
            if (!isLast) return "";
            if (this.isByDay) return time < this.times.at(-1) ? shortDay(time * 1000) : "";
            const shown = clock(time * 1000);
            return shown === "00:00" ? weekday(time * 1000) : shown;
          }),
        },
        { ...axis, size: 40, gap: 4, space: 28, values: (_, splits) => splits.map((value) => `${value}`) },
      ],
      series: [{}, ...panel.series.map((series) => ({
        stroke: series.isEdge ? `${colour(series.colour)}88` : colour(series.colour), width: series.fill || series.isEdge ? 1 : 2, dash: series.dash ? [5, 4] : undefined,
        fill: series.fill ? `${colour(series.colour)}55` : undefined, points: { show: false },
        paths: series.isLine ? uPlot.paths.linear({ alignGaps: 0 }) : uPlot.paths.stepped({ align: 1, alignGaps: 1 }),
      }))],
      bands: (panel.bands ?? []).map(({ series, fill }) => ({ series, fill: `${colour(fill)}2e` })),
      hooks: { drawClear: [(chart) => this.ground(chart, panel, isFirst)] },
    };
  }

  // Behind the lines: what the inverter does, and where rates are only forecast.
  ground(chart, panel, isFirst) {
    const { ctx, bbox } = chart, ratio = devicePixelRatio;
    const x = (time) => Math.round(chart.valToPos(Date.parse(time) / 1000, "x", true));
    ctx.save();
    if (panel.hasRates && this.forecastFrom) {
      const from = x(this.forecastFrom);
      ctx.fillStyle = `${colour("--line")}77`;
      ctx.fillRect(from, bbox.top, bbox.left + bbox.width - from, bbox.height);
      ctx.fillStyle = colour("--soft");
      ctx.font = `${12 * ratio}px system-ui, sans-serif`;
      ctx.fillText("forecast", from + 5 * ratio, bbox.top + 13 * ratio);
    }
    for (const run of this.runs) {
      const left = x(run.start), width = Math.max(ratio, x(run.end) - left);
      ctx.fillStyle = colour(`--${run.mode in MODES ? run.mode : "self_use"}`);
      if (isFirst) this.strip(ctx, run, left, width, bbox.top - (STRIP + 2) * ratio);
      ctx.globalAlpha = run.mode === "self_use" ? 0 : 0.22;
      ctx.fillRect(left, bbox.top, width, bbox.height);
      ctx.globalAlpha = 1;
    }
    ctx.restore();
  }

  strip(ctx, run, left, width, top) {
    const ratio = devicePixelRatio, words = modeWords(run.mode);
    ctx.fillRect(left, top, Math.max(1, width - ratio), (STRIP - 4) * ratio);
    ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
    if (ctx.measureText(words).width + 6 * ratio > width) return;
    const fill = ctx.fillStyle;
    ctx.fillStyle = colour("--on_mode");
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(words, left + width / 2, top + (STRIP - 4) * ratio / 2);
    ctx.fillStyle = fill;
  }

  listen(chart) {
    const point = (event) => {
      const at = event.clientX - chart.over.getBoundingClientRect().left;
      const time = chart.posToVal(at, "x");
      const after = this.times.findIndex((start) => start > time);
      this.pick(Math.max(0, (after < 0 ? this.slots.length : after) - 1));
    };
    chart.over.addEventListener("pointermove", point);
    chart.over.addEventListener("pointerdown", point);
  }

  pick(index) {
    this.index = Math.min(Math.max(index, 0), this.slots.length - 1);
    for (const chart of this.charts) {
      const left = chart.valToPos(this.times[this.index], "x");
      const right = chart.valToPos(this.times[this.index + 1], "x");
      chart.setSelect({ left, width: Math.max(2, right - left), top: 0, height: chart.over.clientHeight }, false);
    }
    this.slider.value = this.index;
    this.slider.setAttribute("aria-valuetext", this.describe(this.index, this.readout));
  }

  resize() {
    if (this.root.clientWidth && Math.abs(this.root.clientWidth - this.width) > 1) this.draw();
  }

  remove() {
    this.observer.disconnect();
    for (const chart of this.charts) chart.destroy();
    this.root.replaceChildren();
  }
}

// A filled area is drawn only where there is something.
const areas = (values) => values.map((value) => Math.abs(value) < 0.005 ? null : value);

// A range that holds 0 and all values, with a little air.
function around(lists, least = 1) {
  const known = lists.flat().filter(isKnown);
  const low = Math.min(0, ...known), high = Math.max(least, ...known);
  return () => [low < 0 ? low - (high - low) * 0.05 : 0, high + (high - low) * 0.06];
}

const percentRange = () => [0, 100];
