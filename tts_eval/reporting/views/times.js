/* Where the seconds go: each cell's mean critical path, and an engine's gauges over time. */

function drawPath() {
  const cells = visible().filter((cell) => cell.path_s).sort((a, b) => b.accuracy.value - a.accuracy.value).slice(0, 40).reverse();
  $("path-plot").style.height = `${160 + 24 * cells.length}px`;
  const patterns = ["", "/", "", "x", ".", "\\"];
  draw("path-plot", Object.entries(PATH).map(([key, part], place) => ({ type: "bar", orientation: "h", name: part, x: cells.map((cell) => cell.path_s[key]), y: cells.map((cell) => escaped(cell.short)),
    marker: { color: COLOURS[place], pattern: { shape: patterns[place], bgcolor: COLOURS[place], fgcolor: css("--paper"), solidity: 0.2 } }, hovertemplate: `${part} %{x:.4g} s<extra>%{y}</extra>` })),
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
    extra[`yaxis${n}`] = { rangemode: "tozero", exponentformat: "SI", domain: [1 - (place + 0.82) / names.length, 1 - (place + 0.06) / names.length] };
    extra.annotations.push({ text: name, xref: "paper", yref: "paper", x: 0, y: 1 - (place + 0.06) / names.length, yanchor: "bottom", xanchor: "left", showarrow: false, font: { size: 11, color: css("--quiet") } });
    return { x: one.at_s, y: one.series[name], mode: "lines", line: { color: COLOURS[place % COLOURS.length], shape: "hv" }, yaxis: `y${n}`, name };
  });
  delete extra.grid;
  extra.xaxis = { title: { text: "seconds" }, anchor: names.length > 1 ? `y${names.length}` : "y" };
  draw("gauges-plot", traces, extra);
}
