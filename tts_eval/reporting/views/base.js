/* What every view stands on: the data, how figures are written, how plots and tables are drawn. */
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6BB1", "#7F7F7F"]; // Okabe and Ito's, and two more
const SHAPES = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star"];
const DASHES = ["solid", "dash", "dot", "dashdot"];
const OPEN = { measured: "", replayed: "-open", modelled: "-open-dot" };
const FILTERS = ["model", "strategy", "verifier", "speculation", "parallelism", "load", "hardware", "provenance"];
const PATH = { queue_s: "queue", prefill_s: "prefill", decode_s: "decode", engine_other_s: "engine, other", verifier_s: "verifier", strategy_s: "strategy" };
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
const interval = ({ value, low, high }) => `${shown(value)} [${shown(low)}, ${shown(high)}]`;
const estimate = (row, name) => ({ value: row[name], low: row[`${name}_low`], high: row[`${name}_high`] }); // of a table's row
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const label = (axis) => state.group.axes.find((a) => a.name === axis)?.label ?? axis;
const shortOf = (name) => state.group.cells.find((cell) => cell.name === name)?.short ?? name;
const visible = () => state.group.cells.filter((cell) => FILTERS.every((key) => !state.hidden[key]?.has(cell[key])));

function layout(extra) {
  const axis = { gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--line"), automargin: true };
  const base = {
    paper_bgcolor: css("--paper"), plot_bgcolor: css("--paper"), font: { color: css("--ink"), size: 13 },
    margin: { l: 60, r: 15, t: 40, b: 50 }, hoverlabel: { bgcolor: css("--panel"), bordercolor: css("--line"),
    font: { color: css("--ink") }, align: "left" }, legend: { orientation: "h", y: -0.25, font: { size: 12 } },
  };
  const made = { ...base, ...extra };
  for (const key of Object.keys(made)) if (/^[xy]axis/.test(key)) made[key] = { ...axis, ...made[key] };
  return made;
}

/* A logarithmic axis over `values` with few and plain ticks: 1, 2, 5, and more of them within one decade. */
function logAxis(title, values) {
  const known = values.filter((value) => Number.isFinite(value) && value > 0);
  if (!known.length) return { title: { text: title }, type: "log" };
  const low = Math.min(...known), high = Math.max(...known), decades = Math.log10(high / low);
  const digits = decades > 3 ? [1] : decades > 0.8 ? [1, 2, 5] : [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];
  const tickvals = [];
  for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.log10(high) + 1; power += 1)
    tickvals.push(...digits.map((digit) => Number((digit * 10 ** power).toPrecision(3))));
  const spots = tickvals.filter((value) => value >= low / 1.05 && value <= high * 1.05);
  if (spots.length < 2) return { title: { text: title }, type: "log", nticks: 5, tickformat: ".3~g" };
  const written = (value) => (value >= 1e5 || value < 1e-3 ? value.toExponential().replace("e+", "e") : value.toLocaleString("en", { maximumSignificantDigits: 3 }));
  return { title: { text: title }, type: "log", tickvals, ticktext: tickvals.map(written) };
}
const draw = (id, traces, extra) => Plotly.react(id, traces, layout(extra), { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] });

function style(cell) {
  const key = $("by").value;
  const values = [...new Set(state.group.cells.map((one) => one[key]))];
  const place = values.indexOf(cell[key]);
  return { colour: COLOURS[place % COLOURS.length], shape: SHAPES[place % SHAPES.length], name: cell[key] };
}

function table(id, headings, rows, { textual = 1, sortable = false } = {}) {
  const made = element("table"), head = element("tr");
  if (sortable) made.className = "sortable";
  headings.forEach((heading, column) => {
    const th = element("th", heading, { className: column < textual ? "text" : "" });
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
const word = (text) => ({ text: String(text).replaceAll(",", ",\u200b"), key: String(text) }); // overrides may break after a comma
const value = (given, text = shown(given)) => ({ text, key: number(given) });
