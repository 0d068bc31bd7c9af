/* The figures of every cell shown, as a table. */

function drawCosts() {
  const group = state.group, names = group.figures;
  const axes = group.axes.map((axis) => axis.name);
  const headings = ["cell", "provenance", "accuracy [95%]", ...axes.map((axis) => `${label(axis)} [95%]`), ...names];
  const rows = visible().map((cell) => [word(cell.short), word(cell.provenance), value(cell.accuracy[0], interval(cell.accuracy)),
    ...axes.map((axis) => value(cell.costs[axis][0], cell.costs[axis][0] === null ? "–" : interval(cell.costs[axis]) + (cell.costs[axis][3] ? " *" : ""))),
    ...names.map((name) => value(cell.figures[name]))]);
  $("costs-note").textContent = group.failed.map((one) => `On no frontier: ${shortOf(one.cell)}: ${one.reason}.`).join("\n");
  table("costs-table", headings, rows, { textual: 2, sortable: true });
}
