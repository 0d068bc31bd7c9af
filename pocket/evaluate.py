"""Measure the pocket models with the real engine: `python -m pocket.evaluate [--models DIR] [...]`.

Writes every figure of the bars as JSON. It knows what to measure; `figures` knows how a figure is made.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pocket import engine, figures, probes
from pocket.engine import Ids
from pocket.figures import AGGREGATES, Floats, Sample, interval
from pocket.language_model import TEMPERATURE
from pocket.probes import MAX_TOKENS, Problems
from tasks.pocket import LEVEL_FACTORS

BUDGETS = (0, 16, 32, 48, 64, 96, 128, 192, 256, 512)
NUM_SYNTHETIC = 2000
HARD = 4  # the level from which search is measured


def by_level(values: Sequence[float] | Floats, levels: Sequence[int]) -> dict[str, Any]:
    """Return the mean with its interval, over all problems and per level."""
    rows = {"all": interval(values)}
    for level in LEVEL_FACTORS:
        rows[f"L{level}"] = interval([v for v, at in zip(values, levels, strict=True) if at == level])
    return rows


@dataclass(frozen=True, slots=True)
class Written:
    """What the reasoner wrote, and the figures that need no judge."""

    greedy: list[Ids]
    samples: list[list[Ids]]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """The samples with their scores, synthetic traces with theirs, and what beam search found."""

    samples: list[list[Sample]]
    synthetic: list[list[Sample]]
    beam: tuple[list[float], list[int]]


def measure(
    models: Path, problems: Problems, num_samples: int, temperature: float, aggregate: str
) -> dict[str, Any]:
    """Take every figure of the bars; engines run one after the other, the policy and the PRM together."""
    written = write(models, problems, num_samples, temperature)
    judged = judge(models, problems, written, temperature, aggregate)
    return (
        written.figures | figures_of(problems, written, judged, aggregate) | others(models, problems, written)
    )


def write(models: Path, problems: Problems, num_samples: int, temperature: float) -> Written:
    """Let the reasoner answer greedily, in samples, under budgets and after `Wait`."""
    levels, prompts = problems.levels, problems.prompts
    out: dict[str, Any] = {
        "temperature": temperature,
        "num_problems": len(levels),
        "num_samples": num_samples,
    }
    llm = engine.engine(models / "reasoner")
    greedy = [rows[0] for rows in engine.generate(llm, prompts, temperature=0, max_tokens=MAX_TOKENS)]
    samples = engine.generate(llm, prompts, n=num_samples, temperature=temperature, max_tokens=MAX_TOKENS)
    hot = engine.generate(llm, prompts, temperature=1.0, max_tokens=MAX_TOKENS)
    out["greedy"] = by_level(problems.solved_by(greedy), levels)
    out["single at temperature 1"] = by_level(problems.solved_by([rows[0] for rows in hot]), levels)
    firsts = [rows[0] for rows in samples]
    for budget in BUDGETS:
        forced = probes.forced_answers(llm, problems, firsts, budget)
        out[f"budget of {budget} tokens"] = by_level(forced, levels)
    out["after Wait"] = by_level(probes.second_pass(llm, problems, firsts, temperature), levels)
    engine.shut_down(llm)
    return Written(greedy, samples, out)


def judge(models: Path, problems: Problems, written: Written, temperature: float, aggregate: str) -> Judged:
    """Score the samples with the PRM and the ORM, and search with the PRM on the hard levels."""
    whole = [[(*p, *r) for r in rows] for p, rows in zip(problems.prompts, written.samples, strict=True)]
    distinct = list({ids: None for rows in whole for ids in rows})
    llm, prm = engine.engine(models / "reasoner"), engine.prm_engine(models / "prm")
    steps = dict(zip(distinct, engine.step_scores(prm, [list(ids) for ids in distinct]), strict=True))
    synthetic = probes.synthetic_samples(prm, NUM_SYNTHETIC)
    hard = problems.at([i for i, level in enumerate(problems.levels) if level >= HARD])
    beam = probes.beam_search(llm, prm, hard, temperature=temperature, how=aggregate)
    engine.shut_down(llm)
    engine.shut_down(prm)
    orm = engine.engine(models / "orm", runner="pooling")
    outcomes = dict(zip(distinct, engine.outcome_scores(orm, [list(ids) for ids in distinct]), strict=True))
    engine.shut_down(orm)
    judged = [
        [figures.judge(f, r, steps[ids], outcomes[ids]) for r, ids in zip(rows, keys, strict=True)]
        for f, rows, keys in zip(problems.factors, written.samples, whole, strict=True)
    ]
    return Judged(judged, synthetic, beam)


def figures_of(problems: Problems, written: Written, judged: Judged, aggregate: str) -> dict[str, Any]:
    """Make the figures of votes, choices, judgement and search."""
    levels, num_samples = problems.levels, len(written.samples[0])
    out = votes(judged.samples, problems.solved_by(written.greedy), levels, num_samples)
    out |= judgement(judged.samples, judged.synthetic)
    hard = [group for group, level in zip(judged.samples, levels, strict=True) if level >= HARD]
    return out | {"beam search on levels 4-5": beside_best_of_n(judged.beam, hard, aggregate)}


def others(models: Path, problems: Problems, written: Written) -> dict[str, Any]:
    """Take the figures of the weaker reasoner and of the draft."""
    weak = engine.engine(models / "weak")
    weak_greedy = engine.generate(weak, problems.prompts, temperature=0, max_tokens=MAX_TOKENS)
    engine.shut_down(weak)
    return {
        "weak greedy": by_level(problems.solved_by([rows[0] for rows in weak_greedy]), problems.levels),
        "draft": drafted(models, problems, written.greedy),
    }


def votes(
    judged: Sequence[Sequence[Sample]], greedy: Sequence[float], levels: Sequence[int], num_samples: int
) -> dict[str, Any]:
    """Accuracies of votes and choices against n, and their paired differences at 16."""
    single = [float(np.mean([sample.is_correct for sample in group])) for group in judged]
    out: dict[str, Any] = {"single": by_level(single, levels)}
    out["tokens"] = by_level([float(np.mean([s.num_tokens for s in group])) for group in judged], levels)
    counts = [n for n in (4, 16, 64) if n <= num_samples]
    for n in counts:
        out[f"majority@{n}"] = by_level(figures.majority(judged, n), levels)
        out[f"pass@{n}"] = by_level(figures.pass_at(judged, n), levels)
        for name in (*AGGREGATES, "outcome"):
            out[f"best of {n}, {name}"] = by_level(figures.best_of(judged, n, name), levels)
        for name in AGGREGATES:
            out[f"weighted vote@{n}, {name}"] = by_level(figures.weighted_vote(judged, n, name), levels)
    for fewer, more in pairwise(counts):
        for name in AGGREGATES:
            gain = figures.best_of(judged, more, name) - figures.best_of(judged, fewer, name)
            out[f"best of {more} - best of {fewer}, {name}"] = by_level(gain, levels)
    vote = figures.majority(judged, 16)
    out["majority@16 - greedy"] = by_level(vote - np.array(greedy), levels)
    hard = np.array(levels) >= HARD
    for name in AGGREGATES:
        best, weighted = figures.best_of(judged, 16, name), figures.weighted_vote(judged, 16, name)
        out[f"best of 16, {name} - majority@16, levels 4-5"] = interval((best - vote)[hard])
        out[f"weighted vote@16, {name} - majority@16"] = by_level(weighted - vote, levels)
    return out


def judgement(judged: Sequence[Sequence[Sample]], synthetic: Sequence[Sequence[Sample]]) -> dict[str, Any]:
    """Error kinds of the reasoner, and how well the PRM tells them."""
    return {
        "traces": sum(len(group) for group in judged),
        "wrong traces": sum(not sample.is_correct for group in judged for sample in group),
        "first errors": figures.error_kinds(judged),
        "step AUC within problems": interval(figures.within_problem_auc(judged)),
        "false alarms": float(figures.false_alarms(judged).mean()),
        "recall of first errors": figures.recall_by_kind(figures.first_errors(judged)),
        "recall of first errors, synthetic": figures.recall_by_kind(figures.first_errors(synthetic)),
    }


def beside_best_of_n(
    beam: tuple[list[float], list[int]], judged: Sequence[Sequence[Sample]], aggregate: str
) -> dict[str, Any]:
    """Set beam search beside best-of-n with as many tokens."""
    tokens = float(np.mean(beam[1]))
    n = max(1, round(tokens / float(np.mean([s.num_tokens for group in judged for s in group]))))
    best = figures.best_of(judged, min(n, len(judged[0])), aggregate)
    return {
        "aggregate": aggregate,
        "tokens": tokens,
        "n of equal tokens": n,
        "beam": interval(beam[0]),
        "best of n": interval(best),
        "beam - best of n": interval(np.array(beam[0]) - best),
    }


def drafted(models: Path, problems: Problems, greedy: Sequence[Ids]) -> dict[str, float]:
    """Start the reasoner with its draft and compare with decoding without."""
    config = {"method": "draft_model", "model": str(models / "draft"), "num_speculative_tokens": 4}
    llm = engine.engine(models / "reasoner", speculative_config=config, max_num_seqs=64)
    found = probes.drafted(llm, problems, greedy)
    engine.shut_down(llm)
    return found


def main() -> None:
    """Parse the command line, measure, and write the figures beside the models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=Path(__file__).parent)
    parser.add_argument("--problems", type=int, default=500)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--split", default="test", choices=("dev", "test"))
    parser.add_argument("--task-seed", type=int, default=0)
    parser.add_argument("--temperature", type=float, default=TEMPERATURE)
    parser.add_argument("--aggregate", default="min", choices=AGGREGATES, help="what guides beam search")
    options = parser.parse_args()
    began = time.perf_counter()
    problems = Problems.draw(options.problems, options.split, options.task_seed)
    found = measure(options.models, problems, options.samples, options.temperature, options.aggregate)
    found |= {"split": options.split, "task_seed": options.task_seed}
    found["wall_s"] = round(time.perf_counter() - began)
    (options.models / "figures.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
