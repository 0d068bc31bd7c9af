/* Problems on which something ran away. */

function drawRunaways() {
  const found = state.group.runaways, limits = data.limits;
  $("runaways-note").textContent = `Of one run of each of the first ${limits.curves} cells on a frontier: problems with a trace that ends in a loop, with one that was cut at its length without an answer, ` +
    "and with a spending beyond Tukey's outer fence of their level. The problems named spent most against their level's median.";
  const told = (one) => one.worst.map((worst) => `${worst.problem} (${shown(worst.times_median)}x${worst.num_loops ? ", loops" : ""}${worst.num_truncated ? ", cut" : ""})`).join(", ");
  table("runaways-table", ["cell", "problems that ran away", "problems", "looping", "cut", "outliers"], found.map((one) => [word(shortOf(one.cell)), word(told(one) || "none"),
    value(one.num_problems), value(one.num_looping), value(one.num_truncated), value(one.num_outliers)]), { textual: 2 });
}
