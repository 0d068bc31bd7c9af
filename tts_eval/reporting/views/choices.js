/* What compute should be spent on: for each level of difficulty, and between models at equal cost. */

const signed = (given) => `${given.value > 0 ? "+" : ""}${interval(given)}`;
const range = (row) => (row.lowest === row.highest ? shown(row.lowest) : `${shown(row.lowest)} to ${shown(row.highest)}`);

function drawLevels() {
  const rows = state.group.levels;
  $("levels-note").textContent = rows.length
    ? `Of the cells that cost no more than the budget (${label(rows[0].axis)}), the most accurate for problems of each level, chosen on four fifths of the problems and scored on the last; beside it one cell ` +
      "chosen for all levels in the same way. The levels are the data set's own: who deploys has to predict them. Over all cells of these problems and this load, whatever is filtered."
    : "The problems have no levels of difficulty, or but one.";
  $("levels-table").hidden = !rows.length;
  table("levels-table", ["level", "cell chosen", "budget", "problems", "accuracy [95%]", "one for all", "gain [95%]"], rows.map((row) => [
    word(row.bin === "all" ? "all" : range(row)), word(row.cell === null ? "the level's own" : shortOf(row.cell)), value(row.budget), value(row.num_problems),
    value(row.accuracy, interval(estimate(row, "accuracy"))), value(row.one_for_all), value(row.gain, signed(estimate(row, "gain")))]), { textual: 2 });
}

function drawEquivalents() {
  const rows = state.group.equivalents;
  $("equivalents-note").textContent = rows.length
    ? `Cells of two models whose cost (${label(rows[0].axis)}) is within a quarter of each other's: much model with little thinking against little model with much. Of each model the cells on its own frontier; differences are paired by problem.`
    : "There is one model, or no two cells of two models cost about the same.";
  $("equivalents-table").hidden = !rows.length;
  table("equivalents-table", ["much model", "little model", "tokens, much", "tokens, little", "accuracy, much", "accuracy, little", "difference [95%]"], rows.map((row) => [
    word(shortOf(row.big)), word(shortOf(row.small)), value(row.big_tokens), value(row.small_tokens), value(row.big_accuracy), value(row.small_accuracy),
    value(row.difference, signed(estimate(row, "difference")))]), { textual: 2 });
}
