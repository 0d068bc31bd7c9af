/* Single problems: the search tree, the candidates and their step scores. */

function tree(nodes) {
  const lists = nodes.map(() => element("ul", null, { className: "tree" }));
  const root = element("ul", null, { className: "tree" });
  nodes.forEach((node, place) => {
    const item = element("li");
    const figures = [node.score === null ? null : `score ${shown(node.score)}`, node.num_visits ? `${node.num_visits} visits, value ${shown(node.value)}` : null].filter(Boolean);
    item.append(element("span", figures.join(", "), { className: "figures" }), document.createTextNode(node.text.trim() || "(start)"));
    if (node.answer !== null) item.append(element("strong", ` → ${node.answer}`));
    item.append(lists[place]);
    (node.parent === null ? root : lists[node.parent]).append(item);
  });
  return root;
}

function boxed(content) {
  const box = element("div", null, { className: "tree-box" });
  box.append(content);
  return box;
}

function drawProblem() {
  const limits = data.limits, problem = state.group.problems[Number($("problem").value) || 0];
  $("problems-note").textContent = `The ${limits.problems} problems on which the cells differ most, as one run of each of up to ${limits.attempts} cells on a frontier solved them (searches first): ` +
    `${limits.candidates} candidates of ${limits.chars} characters and ${limits.nodes} nodes at most. All others: python -m tts_eval.show RUN PROBLEM.`;
  if (!problem) { $("problem-view").replaceChildren(); return; }
  const views = [element("p", `${problem.problem}${problem.level === null ? "" : `, level ${problem.level}`}; right answer ${problem.gold}`)];
  for (const attempt of problem.attempts) {
    const box = element("details", null, { className: "attempt", open: attempt === problem.attempts[0] });
    const time = attempt.tta_s === null ? "" : `, after ${shown(attempt.tta_s)} s`;
    box.append(element("summary", `${shortOf(attempt.cell)}: ${attempt.error ?? `answer ${attempt.answer ?? "none"} (${attempt.verdict})${time}`}, ${attempt.num_candidates} candidate(s)`));
    if (attempt.tree.length) box.append(element("p", `Search tree, ${attempt.num_nodes} nodes`), boxed(tree(attempt.tree)));
    for (const candidate of attempt.candidates) {
      box.append(element("p", `answer ${candidate.answer ?? "none"}, ${candidate.num_tokens} tokens${candidate.score === null ? "" : `, score ${shown(candidate.score)}`}`));
      if (candidate.step_scores?.length) {
        const steps = element("div", null, { className: "steps" });
        candidate.step_scores.forEach((score, place) => {
          const chip = element("span", `${place + 1}: ${score.toFixed(2)}`);
          chip.style.background = `color-mix(in srgb, ${css("--high")} ${Math.round(100 * score)}%, ${css("--low")})`;
          steps.append(chip);
        });
        box.append(steps);
      }
      box.append(element("pre", candidate.text));
    }
    views.push(box);
  }
  $("problem-view").replaceChildren(...views);
}
