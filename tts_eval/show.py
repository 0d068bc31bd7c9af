"""`python -m tts_eval.show RUN PROBLEM`: the tree that a search grew for one problem, step by step.

`python -m tts_eval.show RUN --undecided`: the answers that grading could not decide on, and why.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from tts_eval.grading.grade import Verdict
from tts_eval.records import TreeNode
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.outcome import Outcome

MAX_CHARS = 100  # of a step's text


def main(arguments: Sequence[str]) -> int:
    """Show the tree; 1 with one line of why where there is none."""
    parser = argparse.ArgumentParser(prog="python -m tts_eval.show", description=__doc__)
    parser.add_argument("run", type=Path, help="the folder of a run")
    parser.add_argument("problem", nargs="?", help="the id of a problem, as in its problems.jsonl")
    parser.add_argument("--undecided", action="store_true", help="list the grades that are undecided")
    options = parser.parse_args(arguments)
    if options.undecided == (options.problem is not None):
        parser.error("give either the id of a problem or --undecided")
    try:
        if options.undecided:
            return _show_undecided(options.run)
        outcome = _outcome(options.run, options.problem)
    except ValueError as error:
        print(f"tts_eval.show: {error}", file=sys.stderr)
        return 1
    assert outcome.attempt is not None
    console = Console()
    for tree in rendered(outcome.attempt.tree, heading=f"{outcome.problem_id}, gold {outcome.gold}"):
        console.print(tree)
    console.print(f"answer {outcome.attempt.answer}: {outcome.grade.verdict}", markup=False)
    return 0


def _show_undecided(run: Path) -> int:
    undecided = [each for each in _outcomes(run) if each.grade.verdict is Verdict.UNDECIDED]
    table = Table("problem", "gold", "answer", "reason", title=f"{len(undecided)} undecided")
    for outcome in undecided:
        answer = "" if outcome.attempt is None else str(outcome.attempt.answer)
        cells = (outcome.problem_id, str(outcome.gold), answer, str(outcome.grade.reason))
        table.add_row(*map(escape, cells))
    Console().print(table)
    return 0


def rendered(nodes: Sequence[TreeNode], *, heading: str) -> list[Tree]:
    """Return the trees of `nodes`, each under `heading`: score, visits, value, step and answer of each."""
    trees: list[Tree] = []
    for node in nodes:
        if node.parent is None:
            trees.append(Tree(escape(heading)))
        else:
            trees.append(trees[node.parent].add(_line(node)))
    return [tree for node, tree in zip(nodes, trees, strict=True) if node.parent is None]


def _line(node: TreeNode) -> str:
    words = " ".join(node.text.split())
    step = words if len(words) <= MAX_CHARS else f"{words[:MAX_CHARS]}…"
    figures = [] if node.score is None else [f"score {node.score:.3f}"]
    if node.num_visits:
        figures.append(f"{node.num_visits} visits, value {node.value:.3f}")
    answer = "" if node.answer is None else f"  [bold]→ {escape(node.answer)}[/bold]"
    return f"[dim]{', '.join(figures)}[/dim]  {escape(step)}{answer}"


def _outcome(run: Path, problem_id: str) -> Outcome:
    """Return what became of the problem; ValueError where the run does not hold it or its tree."""
    outcomes = {outcome.problem_id: outcome for outcome in _outcomes(run)}
    if problem_id not in outcomes:
        some = ", ".join(list(outcomes)[:3])
        raise ValueError(
            f"the run holds no problem {problem_id!r}; there are {len(outcomes)}, such as {some}"
        )
    outcome = outcomes[problem_id]
    if outcome.attempt is None or not outcome.attempt.tree:
        raise ValueError(f"problem {problem_id!r} has no tree: its strategy is no search, or it failed")
    return outcome


def _outcomes(run: Path) -> list[Outcome]:
    if not (run / "problems.jsonl").is_file():
        raise ValueError(f"{run} is not the folder of a run: it has no problems.jsonl")
    directory = RunDirectory(run)
    directory.manifest()  # which rejects a run of another schema
    return list(directory.outcomes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
