/* Which cell to deploy, by what a right answer is worth and what a second of waiting costs. */

/* Value x accuracy - dollars - cost of waiting x mean time to answer, in dollars a problem. */
function utilities(value, wait) {
  return visible().map((cell) => ({
    cell,
    worth: value * number(cell.accuracy.value) - number(cell.costs.usd_per_problem?.value) - (wait ? wait * number(cell.costs.tta_s_mean?.value) : 0),
  })).filter((one) => Number.isFinite(one.worth)).sort((a, b) => b.worth - a.worth);
}

function drawRanking() {
  const value = Number($("value").value), wait = Number($("wait").value);
  const is_stated = value >= 0 && wait >= 0;
  $("ranking-note").textContent = is_stated ? "The best ten of the cells shown, in dollars a problem." : "Both must be numbers from 0.";
  const rows = is_stated ? utilities(value, wait).slice(0, 10) : [];
  const cost = (cell, axis) => ({ text: shown(cell.costs[axis]?.value), key: 0 });
  table("ranking-table", ["cell", "provenance", "worth, $ a problem", "accuracy [95%]", label("usd_per_problem"), label("tta_s_mean")], rows.map(({ cell, worth }) => [
    word(cell.short), word(cell.provenance), { text: shown(worth), key: worth }, { text: interval(cell.accuracy), key: 0 }, cost(cell, "usd_per_problem"), cost(cell, "tta_s_mean")]), { textual: 2 });
}

function drawDecisions() {
  const found = state.group.decisions;
  $("decisions-view").hidden = !found;
  $("decisions-note").textContent = found
    ? "Each colour is the cell that is worth most there, over all cells of these problems and this load, whatever is filtered: value x accuracy - dollars - cost of waiting x mean time to answer. A click on the map states its value and cost below."
    : "No cell of these has both dollars and times.";
  if (!found) { Plotly.purge("decisions-plot"); return; }
  const { value_per_correct_usd: values, usd_per_wait_s: waits, best, winners } = found;
  const steps = winners.flatMap((_, place) => [[place / winners.length, COLOURS[place % COLOURS.length]], [(place + 1) / winners.length, COLOURS[place % COLOURS.length]]]);
  const text = best.map((row) => row.map((place) => `${place + 1}: ${escaped(shortOf(winners[place]))}`));
  const annotations = winners.map((_, place) => {
    const spots = best.flatMap((row, y) => row.flatMap((one, x) => (one === place ? [[x, y]] : [])));
    const [x, y] = spots[Math.floor(spots.length / 2)];
    return { x: Math.log10(values[x]), y: Math.log10(waits[y]), text: `<b>${place + 1}</b>`, showarrow: false, font: { color: "#ffffff", size: 14 }, bgcolor: "#1b1f24", borderpad: 2 };
  });
  draw("decisions-plot", [{ type: "heatmap", x: values, y: waits, z: best, text, zmin: -0.5, zmax: winners.length - 0.5, colorscale: steps, showscale: false,
    hovertemplate: "%{text}<br>$%{x:.3g} a right answer, $%{y:.3g} a second<extra></extra>" }],
    { xaxis: logAxis("value of a right answer, $", values), yaxis: logAxis("cost of a second's waiting, $", waits), annotations });
  const plot = $("decisions-plot");
  plot.removeAllListeners("plotly_click");
  plot.on("plotly_click", (event) => {
    $("value").value = event.points[0].x.toPrecision(3);
    $("wait").value = event.points[0].y.toPrecision(3);
    drawRanking();
  });
  table("winners-table", ["", "cell"], winners.map((name, place) => [word(place + 1), word(shortOf(name))]), { textual: 2 });
  table("ranges-table", ["best cell where waiting is free", "from $ a right answer", "to"], found.ranges.map((one) => [word(shortOf(one.cell)), value(one.low), value(one.high)]));
}

function startDecisions() {
  const stated = state.group.decisions?.stated ?? { value_per_correct_usd: "", usd_per_wait_s: 0 };
  $("value").value = stated.value_per_correct_usd;
  $("wait").value = stated.usd_per_wait_s;
  drawDecisions();
}
