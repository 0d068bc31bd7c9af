/* Accuracy as time and tokens are spent: at a deadline, and along a family's budgets. */

const curve = (place) => ({ color: COLOURS[place % COLOURS.length], dash: DASHES[place % DASHES.length], width: 2 });

function drawAnytime() {
  const names = new Set(visible().map((cell) => cell.name));
  const mine = state.group.anytime.filter((one) => names.has(one.cell));
  $("anytime-note").textContent = state.group.anytime.length
    ? `How often the answer that stands so long after a problem's arrival is right; before the first answer none is. Of the cells on a frontier, the ${data.limits.curves} that are on the most.`
    : "No cell of these has times.";
  draw("anytime-plot", mine.map((one, place) => ({ x: one.deadline_s, y: one.accuracy, mode: "lines", line: { shape: "hv", ...curve(place) }, name: escaped(shortOf(one.cell)),
    customdata: one.low.map((low, i) => [low, one.high[i]]), hovertemplate: "%{y:.3f} [%{customdata[0]:.3f}, %{customdata[1]:.3f}] at %{x:.3g} s" })),
    { xaxis: logAxis("seconds from a problem's arrival", mine.flatMap((one) => one.deadline_s)), yaxis: { title: { text: "accuracy at the deadline" }, rangemode: "tozero" } });
}

function drawScaling() {
  const cells = new Map(visible().map((cell) => [cell.name, cell]));
  const all = state.group.scaling.filter((one) => one.cells.some((name) => cells.has(name)));
  const families = all.slice(0, data.limits.curves);
  $("scaling-note").textContent = families.length
    ? "Families of three cells and more that differ in budget alone. With four points the curve is ceiling - scale * tokens^(-exponent), with three a line in the logarithm. Fits are of all cells." +
      (all.length > families.length ? ` The first ${families.length} of ${all.length} such families are drawn: filter for others.` : "")
    : "No three cells of those shown differ in budget alone.";
  $("scaling-plot").hidden = $("scaling-table").hidden = !families.length;
  if (!families.length) return;
  const traces = families.flatMap((one, place) => {
    const mine = one.cells.map((name) => cells.get(name)).filter(Boolean);
    const colour = COLOURS[place % COLOURS.length];
    const shape = SHAPES[place % SHAPES.length] + OPEN[mine[0].provenance];
    return [
      { x: one.x, y: one.y, mode: "lines", line: curve(place), hoverinfo: "skip", legendgroup: String(place), showlegend: false },
      { x: mine.map((cell) => number(cell.costs.tokens_per_problem.value)), y: mine.map((cell) => cell.accuracy.value), mode: "markers", marker: { color: colour, symbol: shape, size: 9 },
        name: escaped(one.family), legendgroup: String(place), text: mine.map((cell) => hover(cell, "tokens_per_problem")), hovertemplate: "%{text}<extra></extra>" },
    ];
  });
  draw("scaling-plot", traces, { xaxis: logAxis("generated tokens per problem", families.flatMap((one) => one.x)), yaxis: { title: { text: "accuracy" } } });
  table("scaling-table", ["family", "cells", "gain per doubling [95%]", "ceiling [95%]", "next doubling gains < 0.01 from [95%] tokens"], all.map((one) => [word(one.family), value(one.cells.length),
    value(one.gain_per_doubling.value, interval(one.gain_per_doubling)), word(one.ceiling ? interval(one.ceiling) : "–"), word(one.saturates_at ? interval(one.saturates_at) : "–")]));
}
