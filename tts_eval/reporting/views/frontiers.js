/* Both frontiers over the same cells, one cell's configuration, and the regret. */

/* Strict dominance, ties kept: a cell is off the frontier if another one is no dearer and no less accurate, and better in one. */
function undominated(cells, axis) {
  const points = cells.map((cell) => ({ cell, cost: number(cell.costs[axis]?.value), accuracy: number(cell.accuracy.value) }))
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
  const cost = cell.costs[axis], { p_on_frontier: share, dominated_by: by } = cost;
  const lines = [`<b>${escaped(cell.short)}</b>`, `accuracy ${interval(cell.accuracy)}`, `${label(axis)} ${interval(cost)}`,
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
    if (!Number.isFinite(number(cell.costs[axis]?.value))) continue;
    const look = style(cell);
    const key = `${look.name}|${cell.provenance}`;
    if (!series.has(key)) series.set(key, { look, provenance: cell.provenance, cells: [] });
    series.get(key).cells.push(cell);
  }
  const many = cells.length > 60;
  for (const { look, provenance, cells: mine } of series.values()) {
    const bars = (estimates) => ({ type: "data", symmetric: false, thickness: 1, width: 2, visible: !many, color: look.colour,
      array: estimates.map((e) => number(e.high) - number(e.value)), arrayminus: estimates.map((e) => number(e.value) - number(e.low)) });
    traces.push({
      x: mine.map((cell) => number(cell.costs[axis].value)), y: mine.map((cell) => number(cell.accuracy.value)), mode: "markers",
      marker: { color: look.colour, symbol: look.shape + OPEN[provenance], size: many ? 7 : 10, line: { width: provenance === "measured" ? 0.5 : 2, color: look.colour } },
      error_y: bars(mine.map((cell) => cell.accuracy)), error_x: bars(mine.map((cell) => cell.costs[axis])),
      name: escaped(look.name) + (provenance === "measured" ? "" : ` (${provenance})`),
      text: mine.map((cell) => hover(cell, axis)), hovertemplate: "%{text}<extra></extra>", customdata: mine.map((cell) => cell.name),
    });
  }
  const lost = cells.filter((cell) => !Number.isFinite(number(cell.costs[axis]?.value))).length;
  const aside = lost ? `<br><sup>${lost} cell(s) without a finite figure on this axis</sup>` : "";
  draw(id, traces, { title: { text: title + aside, font: { size: 14 } }, xaxis: logAxis(label(axis), cells.map((cell) => cell.costs[axis]).filter(Boolean).flatMap(({ value, low, high }) => [value, low, high].map(number))),
    yaxis: { title: { text: "accuracy" } }, shapes: [] });
  const plot = $(id);
  plot.removeAllListeners("plotly_hover");
  plot.on("plotly_hover", (event) => { const name = event.points[0].customdata; if (name) configuration(name); });
}

function configuration(name) {
  const cell = state.group.cells.find((one) => one.name === name);
  for (const [id, axis] of [["compute-plot", $("compute").value], ["system-plot", $("system").value]]) {
    const x = number(cell.costs[axis]?.value);
    const annotations = Number.isFinite(x) ? [{ x: Math.log10(x), y: cell.accuracy.value, text: "●", showarrow: true, arrowhead: 0, ax: 0, ay: -32, arrowcolor: css("--ink"), font: { color: css("--ink") } }] : [];
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

function drawFrontiers() {
  const group = state.group;
  for (const [id, select, kind] of [["compute-plot", "compute", "Compute-optimal"], ["system-plot", "system", "System-optimal"]]) {
    if (group.first[select].length) drawFrontier(id, $(select).value, kind);
    else { Plotly.purge(id); $(id).textContent = `No ${select} figure of these cells is known.`; }
  }
}

function drawRegret() {
  const compute = $("compute").value, system = $("system").value;
  const found = state.group.regret.find((one) => one.compute === compute && one.system === system);
  if (!found) {
    $("reading").textContent = "A regret needs a compute axis and a system axis with known costs.";
    $("regret-table").replaceChildren();
    return;
  }
  const tau = `Kendall's tau between the two orders of all cells: ${interval(found.tau)}.`;
  const proven = found.rows.filter((row) => row.is_proven).sort((a, b) => number(b.regret_low) - number(a.regret_low));
  const worst = proven[0], num = found.rows.length;
  $("reading").textContent = (state.group.run_noise[system] === null
    ? `One run of each cell proves no regret: it may be the machine. Repeat with seed=0,1,2, or state the noise from run to run with --run-noise.`
    : worst
    ? `Choosing by ${label(compute)} is proven to cost too much on ${label(system)} at ${proven.length} of ${num} points of its frontier. ` +
      `The surest: ${shortOf(worst.cell)} takes ${shown(worst.system_cost)}; ${shortOf(worst.system_cell)} takes ` +
      `${interval(estimate(worst, "regret"))} less (${shown(worst.regret_ratio)} times the cost), its accuracy changed by ` +
      `${interval(estimate(worst, "accuracy_change"))}.`
    : `No regret is proven at any of ${num} points of the frontier of ${label(compute)} on ${label(system)}.`) + `\n${tau}`;
  const headings = ["compute-optimal cell", "system-optimal cell", "most accurate at its cost", "accuracy", "system cost", "regret [95%]", "proven", "times its cost", "accuracy lost [95%]", "same choice in"];
  table("regret-table", headings, found.rows.map((row) => [word(shortOf(row.cell)), word(shortOf(row.system_cell)), word(shortOf(row.accurate_cell)), value(row.accuracy), value(row.system_cost),
    value(row.regret, interval(estimate(row, "regret"))), value(row.is_proven ? 1 : 0, row.is_proven ? "yes" : "no"), value(row.regret_ratio),
    value(row.accuracy_lost, interval(estimate(row, "accuracy_lost"))),
    value(row.p_same, `${shown(row.p_same === null ? null : Math.round(100 * row.p_same))}%`)]), { textual: 3 });
}
