/* The figures of every cell shown, as a table. */

function drawCosts() {
  const group = state.group, names = group.figures;
  const axes = group.axes.map((axis) => axis.name);
  const headings = ["cell", "provenance", "accuracy [95%]", ...axes.map((axis) => `${label(axis)} [95%]`), ...names];
  const rows = visible().map((cell) => [word(cell.short), word(cell.provenance), value(cell.accuracy.value, interval(cell.accuracy)),
    ...axes.map((axis) => value(cell.costs[axis].value, cell.costs[axis].value === null ? "–" : interval(cell.costs[axis]) + (cell.costs[axis].is_on_frontier ? " *" : ""))),
    ...names.map((name) => value(cell.figures[name]))]);
  $("costs-note").textContent = [...group.failed.map((one) => `On no frontier: ${shortOf(one.cell)}: ${one.reason}.`),
    ...group.served_otherwise.map((line) => `Note: ${line}.`)].join("\n");
  table("costs-table", headings, rows, { textual: 2, sortable: true });
}
