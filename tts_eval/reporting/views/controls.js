/* What is chosen and filtered, and that everything is drawn anew then. */

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
  startDecisions();
  filters();
  redraw();
  drawLevels();
  drawEquivalents();
  drawRunaways();
  drawGauges();
  drawProblem();
}

function redraw() {
  drawFrontiers();
  drawRegret();
  drawAnytime();
  drawScaling();
  drawPath();
  drawCosts();
  drawRanking();
}

const runs = data.groups.reduce((sum, group) => sum + group.num_runs, 0);
$("about").textContent = `${runs} runs in ${data.groups.length} group(s) that may be compared, ${data.made_at}.` +
  (data.without_accuracy.length ? ` Left out, since drafts were accepted by chance and answers mean nothing: ${data.without_accuracy.join("; ")}.` : "");
options("group", data.groups.map((group, i) => [i, group.name]));
$("group").onchange = () => choose(Number($("group").value));
for (const id of ["compute", "system", "by"]) $(id).onchange = () => { drawFrontiers(); drawRegret(); };
$("gauged").onchange = drawGauges;
$("problem").onchange = drawProblem;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { redraw(); drawDecisions(); drawGauges(); drawProblem(); });
for (const id of ["value", "wait"]) $(id).oninput = drawRanking;
choose(0);
