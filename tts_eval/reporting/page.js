"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6BB1", "#7F7F7F"]; // Okabe & Ito, two greys' worth more
const SHAPES = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star"];
const DASHES = ["solid", "dash", "dot", "dashdot"];
const OPEN = { measured: "", replayed: "-open", modelled: "-open-dot" };
const FILTERS = ["model", "strategy", "verifier", "speculation", "parallelism", "load", "hardware", "provenance"];
const PATH = ["queue", "prefill", "decode", "engine, other", "verifier", "strategy"];
const state = { group: null, hidden: {}, sort: null };

const $ = (id) => document.getElementById(id);
const element = (tag, text, attributes = {}) => {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  Object.assign(made, attributes);
  return made;
};
const escaped = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const number = (value) => (typeof value === "number" ? value : value === "inf" ? Infinity : NaN);
const shown = (value) => {
  if (value === null || value === undefined) return "–";
  if (value === "inf") return "inf";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return value.toLocaleString("en");
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : value.toPrecision(3);
};
const interval = (triple) => `${shown(triple[0])} [${shown(triple[1])}, ${shown(triple[2])}]`;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const label = (axis) => state.group.axes.find((a) => a.name === axis)?.label ?? axis;
const shortOf = (name) => state.group.cells.find((cell) => cell.name === name)?.short ?? name;
const visible = () => state.group.cells.filter((cell) => FILTERS.every((key) => !state.hidden[key]?.has(cell[key])));

function layout(extra) {
  const axis = { gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--line"), automargin: true };
  const base = {
    paper_bgcolor: css("--paper"), plot_bgcolor: css("--paper"), font: { color: css("--ink"), size: 13 },
    margin: { l: 60, r: 15, t: 40, b: 50 }, hoverlabel: { bgcolor: css("--panel"), bordercolor: css("--line"),
    font: { color: css("--ink") }, align: "left" }, legend: { orientation: "h", y: -0.2, font: { size: 12 } },
  };
  const made = { ...base, ...extra };
  for (const key of Object.keys(made)) if (/^[xy]axis/.test(key)) made[key] = { ...axis, ...made[key] };
  return made;
}
const draw = (id, traces, extra) => Plotly.react(id, traces, layout(extra), { responsive: true, displaylogo: false });

function style(cell) {
  const key = $("by").value;
  const values = [...new Set(state.group.cells.map((one) => one[key]))];
  const place = values.indexOf(cell[key]);
  return { colour: COLOURS[place % COLOURS.length], shape: SHAPES[place % SHAPES.length], name: cell[key] };
}

/* Strict dominance, ties kept: a cell is off the frontier if another one is no dearer and no less accurate, and better in one. */
function undominated(cells, axis) {
  const points = cells.map((cell) => ({ cell, cost: number(cell.costs[axis]?.[0]), accuracy: number(cell.accuracy[0]) }))
    .filter((point) => !Number.isNaN(point.cost) && Number.isFinite(point.cost));
  points.sort((a, b) => a.cost - b.cost || b.accuracy - a.accuracy);
  const found = [];
  for (const point of points) {
    const last = found[found.length - 1];
    const ties = last && last.cost === point.cost && last.accuracy === point.accuracy;
    if (!last || ties || point.accuracy > last.accuracy) found.push(point);
  }
  return found;
}

function hover(cell, axis) {
  const [cost, low, high, , share, by] = cell.costs[axis];
  const lines = [`<b>${escaped(cell.short)}</b>`, `accuracy ${interval(cell.accuracy)}`, `${label(axis)} ${interval([cost, low, high])}`,
    `on the frontier in ${shown(share === null ? null : Math.round(100 * share))}% of resamples`];
  if (by !== null) lines.push(`dominated by ${escaped(state.group.cells[by].short)}`);
  lines.push(`${cell.model}, ${cell.strategy}, verifier ${cell.verifier}, ${cell.parallelism}`.replace(/</g, "&lt;"),
    `${escaped(cell.load)}, ${escaped(cell.hardware)}, ${cell.num_repeats} repeat(s), <b>${cell.provenance}</b>`);
  const own = Object.entries(cell.own);
  lines.push(...own.slice(0, 14).map(([key, value]) => `${escaped(key)}=${escaped(value).slice(0, 60)}`));
  if (own.length > 14) lines.push(`… and ${own.length - 14} settings more, below`);
  return lines.join("<br>");
}

function drawFrontier(id, axis, title) {
  const cells = visible();
  const best = undominated(cells, axis);
  const traces = [{ x: best.map((p) => p.cost), y: best.map((p) => p.accuracy), mode: "lines", line: { shape: "hv", color: css("--ink"), width: 1.5 },
    hoverinfo: "skip", name: "frontier of the cells shown", showlegend: true }];
  const series = new Map();
  for (const cell of cells) {
    if (!Number.isFinite(number(cell.costs[axis]?.[0]))) continue;
    const look = style(cell);
    const key = `${look.name}|${cell.provenance}`;
    if (!series.has(key)) series.set(key, { look, provenance: cell.provenance, cells: [] });
    series.get(key).cells.push(cell);
  }
  const many = cells.length > 60;
  for (const { look, provenance, cells: mine } of series.values()) {
    const bars = (triples) => ({ type: "data", symmetric: false, thickness: 1, width: 2, visible: !many, color: look.colour,
      array: triples.map((t) => number(t[2]) - number(t[0])), arrayminus: triples.map((t) => number(t[0]) - number(t[1])) });
    traces.push({
      x: mine.map((cell) => number(cell.costs[axis][0])), y: mine.map((cell) => number(cell.accuracy[0])), mode: "markers",
      marker: { color: look.colour, symbol: look.shape + OPEN[provenance], size: many ? 7 : 10, line: { width: provenance === "measured" ? 0.5 : 2, color: look.colour } },
      error_y: bars(mine.map((cell) => cell.accuracy)), error_x: bars(mine.map((cell) => cell.costs[axis])),
      name: escaped(look.name) + (provenance === "measured" ? "" : ` (${provenance})`),
      text: mine.map((cell) => hover(cell, axis)), hovertemplate: "%{text}<extra></extra>", customdata: mine.map((cell) => cell.name),
    });
  }
  const lost = cells.filter((cell) => !Number.isFinite(number(cell.costs[axis]?.[0]))).length;
  const aside = lost ? `<br><sup>${lost} cell(s) without a finite figure on this axis</sup>` : "";
  draw(id, traces, { title: { text: title + aside, font: { size: 14 } }, xaxis: { title: { text: label(axis) }, type: "log" },
    yaxis: { title: { text: "accuracy" } }, shapes: [] });
  const plot = $(id);
  plot.removeAllListeners("plotly_hover");
  plot.on("plotly_hover", (event) => { const name = event.points[0].customdata; if (name) configuration(name); });
}

function configuration(name) {
  const cell = state.group.cells.find((one) => one.name === name);
  for (const [id, axis] of [["compute-plot", $("compute").value], ["system-plot", $("system").value]]) {
    const x = number(cell.costs[axis]?.[0]);
    const annotations = Number.isFinite(x) ? [{ x: Math.log10(x), y: cell.accuracy[0], text: "●", showarrow: true, arrowhead: 0, ax: 0, ay: -32, arrowcolor: css("--ink"), font: { color: css("--ink") } }] : [];
    Plotly.relayout(id, { annotations });
  }
  const list = element("dl");
  const add = (key, value, differs) => {
    const row = element("div", null, { className: differs ? "differs" : "" });
    row.append(element("dt", key), element("dd", value));
    list.append(row);
  };
  Object.entries(cell.own).forEach(([key, value]) => add(key, value, true));
  Object.entries(state.group.shared).forEach(([key, value]) => add(key, value, false));
  $("configuration").replaceChildren(element("strong", `${cell.short}: ${cell.provenance}`), list);
}

function table(id, headings, rows, { textual = 1, sortable = false } = {}) {
  const made = element("table"), head = element("tr");
  headings.forEach((heading, column) => {
    const th = element("th", heading);
    if (sortable) th.onclick = () => {
      const down = state.sort?.column === column && !state.sort.down;
      state.sort = { column, down };
      rows.sort((a, b) => {
        const one = a[column].key, other = b[column].key;
        const order = typeof one === "string" ? String(one).localeCompare(String(other)) : (Number.isNaN(one) ? Infinity : one) - (Number.isNaN(other) ? Infinity : other) || 0;
        return down ? -order : order;
      });
      fill();
    };
    head.append(th);
  });
  const body = element("tbody");
  const fill = () => body.replaceChildren(...rows.map((row) => {
    const tr = element("tr");
    row.forEach((cell, column) => tr.append(element("td", cell.text, { className: column < textual ? "text" : "" })));
    return tr;
  }));
  fill();
  const top = element("thead");
  top.append(head);
  made.append(top, body);
  $(id).replaceChildren(made);
}
const word = (text) => ({ text, key: String(text) });
const value = (given, text = shown(given)) => ({ text, key: number(given) });

function drawRegret() {
  const compute = $("compute").value, system = $("system").value;
  const found = state.group.regret.find((one) => one.compute === compute && one.system === system);
  if (!found) {
    $("reading").textContent = "A regret needs a compute axis and a system axis with known costs.";
    $("regret-table").replaceChildren();
    return;
  }
  const lost = found.rows.filter((row) => number(row.regret) > 0);
  lost.sort((a, b) => number(b.regret_ratio) - number(a.regret_ratio));
  const tau = `Kendall's tau between the two orders of all cells: ${interval(found.tau)}.`;
  const worst = lost[0];
  $("reading").textContent = worst
    ? `Choosing by ${label(compute)} costs too much on ${label(system)} at ${lost.length} of ${found.rows.length} points of its frontier. ` +
      `The largest regret: ${shortOf(worst.cell)} takes ${shown(worst.system_cost)}; ${shortOf(worst.system_cell)} is at least as accurate for ` +
      `${interval([worst.regret, worst.regret_low, worst.regret_high])} less (${shown(worst.regret_ratio)} times the cost).\n${tau}`
    : `No regret: every cell on the frontier of ${label(compute)} is the cheapest of its accuracy on ${label(system)} too.\n${tau}`;
  const headings = ["compute-optimal cell", "system-optimal cell", "accuracy", "system cost", "regret [95%]", "times its cost", "accuracy lost at equal cost [95%]", "to", "same choice in"];
  table("regret-table", headings, found.rows.map((row) => [word(shortOf(row.cell)), word(shortOf(row.system_cell)), value(row.accuracy), value(row.system_cost),
    value(row.regret, interval([row.regret, row.regret_low, row.regret_high])), value(row.regret_ratio),
    value(row.accuracy_lost, interval([row.accuracy_lost, row.accuracy_lost_low, row.accuracy_lost_high])), word(shortOf(row.accurate_cell)),
    value(row.p_same, `${shown(row.p_same === null ? null : Math.round(100 * row.p_same))}%`)]), { textual: 2 });
}

const curve = (place) => ({ color: COLOURS[place % COLOURS.length], dash: DASHES[place % DASHES.length], width: 2 });

function drawAnytime() {
  const names = new Set(visible().map((cell) => cell.name));
  const mine = state.group.anytime.filter((one) => names.has(one.cell));
  $("anytime-note").textContent = state.group.anytime.length
    ? `How often the answer that stands so long after a problem's arrival is right; before the first answer none is. Of the cells on a frontier, the ${data.limits.curves} that are on the most.`
    : "No cell of these has times.";
  draw("anytime-plot", mine.map((one, place) => ({ x: one.deadline_s, y: one.accuracy, mode: "lines", line: { shape: "hv", ...curve(place) }, name: escaped(shortOf(one.cell)),
    customdata: one.low.map((low, i) => [low, one.high[i]]), hovertemplate: "%{y:.3f} [%{customdata[0]:.3f}, %{customdata[1]:.3f}] at %{x:.3g} s" })),
    { xaxis: { title: { text: "seconds from a problem's arrival" }, type: "log" }, yaxis: { title: { text: "accuracy at the deadline" }, rangemode: "tozero" } });
}

function drawScaling() {
  const cells = new Map(visible().map((cell) => [cell.name, cell]));
  const families = state.group.scaling.filter((one) => one.cells.some((name) => cells.has(name)));
  const traces = families.flatMap((one, place) => {
    const mine = one.cells.map((name) => cells.get(name)).filter(Boolean);
    const colour = COLOURS[place % COLOURS.length];
    const shape = SHAPES[place % SHAPES.length] + OPEN[mine[0].provenance];
    return [
      { x: one.x, y: one.y, mode: "lines", line: curve(place), hoverinfo: "skip", legendgroup: String(place), showlegend: false },
      { x: mine.map((cell) => number(cell.costs.tokens_per_problem[0])), y: mine.map((cell) => cell.accuracy[0]), mode: "markers", marker: { color: colour, symbol: shape, size: 9 },
        name: escaped(one.family), legendgroup: String(place), text: mine.map((cell) => hover(cell, "tokens_per_problem")), hovertemplate: "%{text}<extra></extra>" },
    ];
  });
  draw("scaling-plot", traces, { xaxis: { title: { text: "generated tokens per problem" }, type: "log" }, yaxis: { title: { text: "accuracy" } } });
  table("scaling-table", ["family", "cells", "gain per doubling [95%]", "ceiling [95%]", "next doubling gains < 0.01 from [95%] tokens"], families.map((one) => [word(one.family), value(one.cells.length),
    value(one.gain_per_doubling[0], interval(one.gain_per_doubling)), word(one.ceiling ? interval(one.ceiling) : "–"), word(one.saturates_at ? interval(one.saturates_at) : "–")]));
}

function drawPath() {
  const cells = visible().filter((cell) => cell.path).sort((a, b) => b.accuracy[0] - a.accuracy[0]).slice(0, 40).reverse();
  $("path-plot").style.height = `${160 + 24 * cells.length}px`;
  const patterns = ["", "/", "", "x", ".", "\\"];
  draw("path-plot", PATH.map((part, place) => ({ type: "bar", orientation: "h", name: part, x: cells.map((cell) => cell.path[place]), y: cells.map((cell) => cell.short),
    marker: { color: COLOURS[place], pattern: { shape: patterns[place], fgcolor: css("--paper") } }, hovertemplate: `${part} %{x:.4g} s<extra>%{y}</extra>` })),
    { barmode: "stack", xaxis: { title: { text: "seconds per problem, mean" } }, yaxis: { automargin: true, tickfont: { size: 11 } }, legend: { orientation: "h", y: 1.02, yanchor: "bottom", traceorder: "normal" } });
}

function drawGauges() {
  $("gauges-note").textContent = state.group.gauges.length ? `The last session of one run of each of the first ${data.limits.gauged} cells on a frontier; what no driver told is left out.` : "No cell on a frontier has two readings.";
  const one = state.group.gauges[Number($("gauged").value) || 0];
  if (!one) { Plotly.purge("gauges-plot"); return; }
  const names = Object.keys(one.series);
  $("gauges-plot").style.height = `${110 * names.length + 90}px`;
  const extra = { grid: { rows: names.length, columns: 1, roworder: "top to bottom" }, xaxis: {}, showlegend: false, margin: { l: 70, r: 15, t: 20, b: 45 }, annotations: [] };
  const traces = names.map((name, place) => {
    const n = place ? place + 1 : "";
    extra[`yaxis${n}`] = { rangemode: "tozero", domain: [1 - (place + 0.82) / names.length, 1 - (place + 0.06) / names.length] };
    extra.annotations.push({ text: name, xref: "paper", yref: "paper", x: 0, y: 1 - (place + 0.06) / names.length, yanchor: "bottom", xanchor: "left", showarrow: false, font: { size: 11, color: css("--quiet") } });
    return { x: one.at_s, y: one.series[name], mode: "lines", line: { color: COLOURS[place % COLOURS.length], shape: "hv" }, yaxis: `y${n}`, name };
  });
  delete extra.grid;
  extra.xaxis = { title: { text: "seconds" }, anchor: names.length > 1 ? `y${names.length}` : "y" };
  draw("gauges-plot", traces, extra);
}

function drawCosts() {
  const group = state.group, names = group.figures;
  const axes = group.axes.map((axis) => axis.name);
  const headings = ["cell", "provenance", "accuracy [95%]", ...axes.map((axis) => `${label(axis)} [95%]`), ...names];
  const rows = visible().map((cell) => [word(cell.short), word(cell.provenance), value(cell.accuracy[0], interval(cell.accuracy)),
    ...axes.map((axis) => value(cell.costs[axis][0], cell.costs[axis][0] === null ? "–" : interval(cell.costs[axis]) + (cell.costs[axis][3] ? " *" : ""))),
    ...names.map((name) => value(cell.figures[name]))]);
  table("costs-table", headings, rows, { textual: 2, sortable: true });
}

function tree(nodes) {
  const lists = nodes.map(() => element("ul", null, { className: "tree" }));
  const root = element("ul", null, { className: "tree" });
  nodes.forEach((node, place) => {
    const item = element("li");
    const figures = [node.score === null ? null : `score ${shown(node.score)}`, node.num_visits ? `${node.num_visits} visits, value ${shown(node.value)}` : null].filter(Boolean);
    item.append(element("span", figures.join(", "), { className: "figures" }), document.createTextNode(node.text.trim() || "(start)"));
    if (node.answer !== null) item.append(element("strong", ` → ${node.answer}`));
    item.append(lists[place]);
    (node.parent === null ? root : lists[node.parent]).append(item);
  });
  return root;
}

function drawProblem() {
  const limits = data.limits, problem = state.group.problems[Number($("problem").value) || 0];
  $("problems-note").textContent = `The ${limits.problems} problems on which the cells differ most, as one run of each of up to ${limits.attempts} cells on a frontier solved them (searches first): ` +
    `${limits.candidates} candidates of ${limits.chars} characters and ${limits.nodes} nodes at most. All others: python -m tts_eval.show RUN PROBLEM.`;
  if (!problem) { $("problem-view").replaceChildren(); return; }
  const views = [element("p", `${problem.problem}${problem.level === null ? "" : `, level ${problem.level}`}; right answer ${problem.gold}`)];
  for (const attempt of problem.attempts) {
    const box = element("details", null, { className: "attempt", open: attempt === problem.attempts[0] });
    const time = attempt.tta_s === null ? "" : `, after ${shown(attempt.tta_s)} s`;
    box.append(element("summary", `${shortOf(attempt.cell)}: ${attempt.error ?? `answer ${attempt.answer ?? "none"} (${attempt.verdict})${time}`}, ${attempt.num_candidates} candidate(s)`));
    if (attempt.tree.length) box.append(element("p", `Search tree, ${attempt.num_nodes} nodes`), tree(attempt.tree));
    for (const candidate of attempt.candidates) {
      box.append(element("p", `answer ${candidate.answer ?? "none"}, ${candidate.num_tokens} tokens${candidate.score === null ? "" : `, score ${shown(candidate.score)}`}`));
      if (candidate.step_scores?.length) {
        const steps = element("div", null, { className: "steps" });
        candidate.step_scores.forEach((score, place) => {
          const chip = element("span", `${place + 1}: ${score.toFixed(2)}`);
          chip.style.background = `color-mix(in srgb, ${css("--high")} ${Math.round(100 * score)}%, ${css("--low")})`;
          steps.append(chip);
        });
        box.append(steps);
      }
      box.append(element("pre", candidate.text));
    }
    views.push(box);
  }
  $("problem-view").replaceChildren(...views);
}

function options(id, pairs) {
  $(id).replaceChildren(...pairs.map(([given, text]) => element("option", text, { value: given })));
}

function filters() {
  $("filters").replaceChildren(...FILTERS.map((key) => {
    const values = [...new Set(state.group.cells.map((cell) => cell[key]))];
    if (values.length < 2) return null;
    const box = element("details", null, { className: "filter" }), list = element("div");
    box.append(element("summary", `${key} (${values.length})`), list);
    for (const one of values) {
      const tick = element("input", null, { type: "checkbox", checked: !state.hidden[key]?.has(one) });
      tick.onchange = () => {
        state.hidden[key] ??= new Set();
        tick.checked ? state.hidden[key].delete(one) : state.hidden[key].add(one);
        redraw();
      };
      const line = element("label");
      line.append(tick, ` ${one}`);
      list.append(line);
    }
    return box;
  }).filter(Boolean));
}

function choose(place) {
  state.group = data.groups[place];
  state.hidden = {};
  const group = state.group;
  options("compute", group.first.compute.map((name) => [name, label(name)]));
  options("system", group.first.system.map((name) => [name, label(name)]));
  options("by", FILTERS.filter((key) => key !== "provenance").map((key) => [key, key]));
  $("by").value = new Set(group.cells.map((cell) => cell.strategy)).size > 1 ? "strategy" : "model";
  options("gauged", group.gauges.map((one, i) => [i, `${shortOf(one.cell)} (${one.run})`]));
  options("problem", group.problems.map((one, i) => [i, one.problem]));
  $("configuration").replaceChildren();
  filters();
  redraw();
  drawGauges();
  drawProblem();
}

function drawFrontiers() {
  const group = state.group;
  for (const [id, select, kind] of [["compute-plot", "compute", "Compute-optimal"], ["system-plot", "system", "System-optimal"]]) {
    if (group.first[select].length) drawFrontier(id, $(select).value, kind);
    else { Plotly.purge(id); $(id).textContent = `No ${select} figure of these cells is known.`; }
  }
}

function redraw() {
  drawFrontiers();
  drawRegret();
  drawAnytime();
  drawScaling();
  drawPath();
  drawCosts();
}

const runs = data.groups.reduce((sum, group) => sum + group.num_runs, 0);
$("about").textContent = `${runs} runs in ${data.groups.length} group(s) that may be compared, ${data.made_at}.` +
  (data.without_accuracy.length ? ` Left out, since drafts were accepted by chance and answers mean nothing: ${data.without_accuracy.join("; ")}.` : "");
options("group", data.groups.map((group, i) => [i, group.name]));
$("group").onchange = () => choose(Number($("group").value));
for (const id of ["compute", "system", "by"]) $(id).onchange = () => { drawFrontiers(); drawRegret(); };
$("gauged").onchange = drawGauges;
$("problem").onchange = drawProblem;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { redraw(); drawGauges(); drawProblem(); });
choose(0);
