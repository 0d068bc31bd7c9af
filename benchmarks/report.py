"""How long the report over 1,000 generated runs of 500 problems takes, and how large its page is.

Traces are as short as the pocket model's; those of a real reasoner take longer to read, by their size. Run
it as `python -m benchmarks.report`; with `--runs DIR` the runs stay there for the next time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.running.cells import sums_cell
from tts_eval.grading.grade import Grade, Verdict
from tts_eval.measuring.machine import open_machine
from tts_eval.model import PROJECT_ROOT
from tts_eval.records import Attempt, Candidate, Finish, Interim, TreeNode
from tts_eval.reporting.program import write_report
from tts_eval.requests import Gauges
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.outcome import Outcome
from tts_eval.running.cell import CheckedCell
from tts_eval.running.loads import Concurrent
from tts_eval.running.manifest import manifest_of
from tts_eval.spend import Call, CriticalPath, RoleTokens, Spend
from tts_eval.summary.summarizing import summarize
from tts_eval.tracking.none import NoTracking

MOST_S, MOST_BYTES = 60.0, 20e6
MODELS = {"small": 0.45, "big": 0.6, "tiny": 0.3}  # the chance that a sample is right
STRATEGIES = ("majority_vote", "best_of_n", "beam_search", "mcts", "weighted_vote")
SEARCHES = ("beam_search", "mcts")
BUDGETS = (1, 2, 4, 8)
DEGREES = {"TP1": (1, 1), "TP2": (2, 1), "TP4": (4, 1), "DP2": (1, 2), "TP2 DP2": (2, 2)}
SPECULATION = {"none": 1.0, "draft": 0.7}  # how long a token takes with such drafts
LOADS = (8, 64)
STEPS = (" 36 * 7 = 17 : 17 28", " 17 * 28 = 6 : 6", " Wait, 6 * 7 = 42 : 42", " so 42 - 36 = 6 : 6")


@dataclass(frozen=True)
class Setting:
    """One cell: what its outcomes depend on."""

    model: str
    strategy: str
    budget: int
    degree: str
    speculation: str
    in_flight: int

    @property
    def name(self) -> str:
        return (
            f"model={self.model},strategy={self.strategy},strategy.n={self.budget},engine={self.degree},"
            f"speculation={self.speculation},load.k={self.in_flight}"
        )


def settings(num_runs: int) -> Iterator[Setting]:
    """Yield the settings of `num_runs` runs, each cell once."""
    axes = (MODELS, STRATEGIES, BUDGETS, DEGREES, SPECULATION, LOADS)
    yield from itertools.islice(itertools.starmap(Setting, itertools.product(*axes)), num_runs)


def checked_cell(folder: Path, setting: Setting, *, num_problems: int) -> CheckedCell:
    """Return the cell of `setting`, which is never run."""
    checked, _ = sums_cell(folder, load=Concurrent(setting.in_flight), num_problems=num_problems)
    tensor, data = DEGREES[setting.degree]
    cell = replace(
        checked.cell,
        name=setting.name,
        model=replace(checked.cell.model, name=setting.model),
        labels={
            "strategy": setting.strategy,
            "verifier": "pocket_prm",
            "engine": "vllm",
            "speculation": setting.speculation,
            "load": "concurrent",
        },
        config={
            "model": {"name": setting.model, "path": "somewhere", "dtype": "bfloat16"},
            "strategy": {"name": setting.strategy, "n": setting.budget, "temperature": 0.8},
            "engine": {
                "tensor_parallel_size": tensor,
                "pipeline_parallel_size": 1,
                "data_parallel_size": data,
            },
            "speculation": {"method": setting.speculation, "num_tokens": 4},
            "load": {"k": setting.in_flight},
        },
    )
    architecture = json.loads((PROJECT_ROOT / "pocket/reasoner/config.json").read_text(encoding="utf-8"))
    return replace(checked, cell=cell, architecture=architecture)


def write_run(folder: Path, setting: Setting, *, num_problems: int) -> None:
    """Write a whole run: manifest, outcomes with their calls, gauges, summary."""
    checked = checked_cell(folder, setting, num_problems=num_problems)
    directory = RunDirectory(folder)
    directory.open()
    facts = sums_cell(folder)[1].facts
    manifest = manifest_of(checked, facts, roles={}, startup_s=20.0, idle_power_w=None, earlier=None)
    directory.write_manifest(manifest)
    draw = random.Random(setting.name)
    now_s = 0.0
    for problem in checked.problems:
        outcome, calls = _solved(problem.id, problem.level, problem.gold, setting, draw, arrived_s=now_s)
        directory.append(outcome, calls)
        now_s += outcome.spend.tta_s / setting.in_flight
    with open_machine(0) as machine:
        reading = machine.read()
    for second in range(0, int(now_s) + 1, max(1, int(now_s) // 400)):
        gauges = Gauges(num_running=draw.randrange(setting.in_flight), kv_cache_usage=draw.random())
        directory.append_gauges(gauges, reading, session=0, at_s=float(second))
    directory.write("summary.json", summarize(directory))


def _solved(
    problem_id: str,
    level: int | None,
    gold: str | None,
    setting: Setting,
    draw: random.Random,
    *,
    arrived_s: float,
) -> tuple[Outcome, list[Call]]:
    """Draw an attempt of `setting.budget` candidates, one engine call each, side by side."""
    ease = MODELS[setting.model] - 0.1 * (level or 0)
    token_s = 0.01 * SPECULATION[setting.speculation] / DEGREES[setting.degree][0] ** 0.7
    candidates, calls = [], []
    for number in range(setting.budget):
        steps = draw.choices(STEPS, k=draw.randint(2, 8))
        answer = gold if draw.random() < ease else str(int(gold or 0) + draw.randint(1, 3))
        num_tokens, queue_s = 12 * len(steps), 0.002 * draw.random() * setting.in_flight
        scores = tuple(round(draw.random(), 4) for _ in steps)
        text = "\n\n".join(steps) + f"\n\n</think>\\boxed{{ {answer}}}"
        candidates.append(Candidate(answer, text, num_tokens, Finish.END, min(scores), scores))
        finished_s = arrived_s + queue_s + 0.01 + token_s * num_tokens
        calls.append(
            Call(
                problem_id=problem_id,
                number=number,
                role="policy",
                seed=number,
                num_prompt_tokens=9,
                num_cached_tokens=0,
                num_generated_tokens=num_tokens,
                finish=Finish.END,
                submitted_s=arrived_s,
                finished_s=finished_s,
                queue_s=queue_s,
                first_token_s=arrived_s + queue_s + 0.01,
                prefill_s=0.01,
                decode_s=token_s * num_tokens,
                num_thinking_tokens=num_tokens - 4,
            )
        )
    answers = [candidate.answer for candidate in candidates]
    chosen = max(answers, key=answers.count)
    tree: tuple[TreeNode, ...] = ()
    if setting.strategy in SEARCHES:
        parents = [None, *(draw.randrange(node) for node in range(1, 8 * setting.budget))]
        tree = tuple(TreeNode(parent, draw.choice(STEPS), draw.random(), 1, 0.5) for parent in parents)
    verdicts = {answer: Verdict.EQUAL if answer == gold else Verdict.UNEQUAL for answer in answers if answer}
    last = max(calls, key=lambda call: call.finished_s)
    outcome = Outcome(
        problem_id=problem_id,
        level=level,
        gold=gold,
        session=0,
        attempt=Attempt(chosen, tuple(candidates), tree),
        grade=Grade(verdicts[chosen or ""]),
        spend=_spend(calls, arrived_s=arrived_s, last=last),
        interims=tuple(
            Interim(candidate.answer, call.finished_s - arrived_s)
            for candidate, call in zip(candidates, calls, strict=True)
        ),
        verdicts=verdicts,
        classes=tuple(int(answer or -1) for answer in answers),
    )
    return outcome, calls


def _spend(calls: list[Call], *, arrived_s: float, last: Call) -> Spend:
    num_generated = sum(call.num_generated_tokens for call in calls)
    seconds_s = last.finished_s - arrived_s
    queue_s, prefill_s, decode_s = last.queue_s or 0.0, last.prefill_s or 0.0, last.decode_s or 0.0
    return Spend(
        arrived_s=arrived_s,
        finished_s=last.finished_s,
        num_calls=len(calls),
        calls_s=sum(call.finished_s - call.submitted_s for call in calls),
        num_prompt_tokens=9 * len(calls),
        num_cached_tokens=0,
        num_generated_tokens=num_generated,
        num_thinking_tokens=sum(call.num_thinking_tokens for call in calls),
        num_verifier_tokens=0,
        num_draft_tokens=0,
        num_unread_steps=0,
        num_preemptions=0,
        ttft_s=queue_s + prefill_s,
        ttfat_s=seconds_s,
        queue_s=queue_s,
        tpot_excl_first_s=decode_s / last.num_generated_tokens,
        e2e_per_token_s=seconds_s / last.num_generated_tokens,
        late_s=0.0,
        idle_s=0.0,
        barrier_wait_s=0.0,
        critical_path=CriticalPath(queue_s, prefill_s, decode_s, 0.0, 0.0, 0.0),
        by_role={"policy": RoleTokens.of(calls)},
    )


def main(arguments: list[str]) -> int:
    """Write the runs and their report; 1 where it is too slow or too large."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--num-runs", type=int, default=1000)
    parser.add_argument("--num-problems", type=int, default=500)
    parser.add_argument("--runs", type=Path, help="where the runs are kept, or are already")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        runs = options.runs or Path(scratch) / "runs"
        for number, setting in enumerate(settings(options.num_runs)):
            if not (runs / f"{number}" / "summary.json").is_file():
                write_run(runs / f"{number}", setting, num_problems=options.num_problems)
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        write_report([runs], folder=Path(scratch) / "report", tracking=NoTracking())
        wall_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
        num_bytes = (Path(scratch) / "report" / "report.html").stat().st_size
    print(
        f"{options.num_runs} runs of {options.num_problems} problems: built in {wall_s:.1f} s (at most "
        f"{MOST_S:g}; {cpu_s:.1f} s of a CPU), {num_bytes / 1e6:.1f} MB (at most {MOST_BYTES / 1e6:g})"
    )
    return 0 if wall_s <= MOST_S and num_bytes <= MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
