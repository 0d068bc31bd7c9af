"""How well the pocket process reward model tells right steps from wrong ones, on problems never trained on.

The traces are the reasoner's, on the test split; the labels those of `pocket.labels` at the blank line that
ends a step, where a verifier reads it.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from transformers import Qwen2ForCausalLM

from pocket import tokenizer as tok
from pocket.labels import IGNORED, Labelled
from pocket.reward_models import on_policy_traces
from tts_eval.command.examination import examine
from tts_eval.engines.transformers_reader import TransformersReader
from tts_eval.llm.call import Served
from tts_eval.llm.tokenizer import Codec
from tts_eval.model import Model
from tts_eval.statistics.classification import (
    Bin,
    Statistic,
    calibration,
    estimate,
    expected_calibration_error,
    precision_of_wrong,
    recall_of_wrong,
    roc_auc,
)
from verifiers.separator_prm import SeparatorPrm

THRESHOLD = 0.5
FIGURES: dict[str, Statistic] = {
    "ROC-AUC": roc_auc,
    f"precision of wrong steps at {THRESHOLD:g}": precision_of_wrong(THRESHOLD),
    f"recall of wrong steps at {THRESHOLD:g}": recall_of_wrong(THRESHOLD),
}


def steps_of(trace: Labelled, codec: Codec) -> tuple[str, list[str], list[int]]:
    """Return the question, the steps that end with a blank line, and the label of each."""
    start = trace.ids.index(tok.THINK) + 1
    question = codec.decode([i for i in trace.ids[:start] if i not in (tok.USER, tok.ASSISTANT, tok.THINK)])
    steps, labels = list[str](), list[int]()
    for position, token_id in enumerate(trace.ids):
        if position >= start and token_id == tok.SEP:
            steps.append(codec.decode(trace.ids[start : position + 1]))
            labels.append(trace.labels[position])
            start = position + 1
    return question, steps, labels


async def scored(folder: Path, traces: Sequence[Labelled]) -> tuple[list[list[float]], list[list[int]]]:
    """Return the scores and the labels of the steps that have one, trace by trace."""
    model = Model("pocket_prm", str(folder / "prm"), dtype="float32")
    codec = Codec(model)
    scores, labels = list[list[float]](), list[list[int]]()
    async with TransformersReader(device="cpu").start(model) as reader:
        served = Served(model, codec, reader)
        for trace in traces:
            question, steps, own = steps_of(trace, codec)
            if not steps:
                continue
            examined = await examine(
                SeparatorPrm(separator="\n\n"), {"policy": served, "verifier": served}, question, steps
            )
            known = [(s, o) for s, o in zip(examined.scores, own, strict=True) if o != IGNORED]
            scores.append([s for s, _ in known])
            labels.append([o for _, o in known])
    return scores, labels


def write_calibration(bins: Sequence[Bin], folder: Path) -> None:
    """Write the bins as CSV, and draw them."""
    with (folder / "calibration.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["low", "high", "count", "mean_score", "share_right"])
        writer.writerows([b.low, b.high, b.count, b.mean_score, b.share_right] for b in bins)
    try:
        from matplotlib import pyplot
    except ImportError:
        print("no calibration.png: matplotlib is not installed", file=sys.stderr)
        return
    figure, axes = pyplot.subplots(figsize=(4, 4))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.plot([b.mean_score for b in bins], [b.share_right for b in bins], marker="o")
    axes.set(xlabel="score of a step", ylabel="share of right steps", title="Pocket PRM, test problems")
    figure.tight_layout()
    figure.savefig(folder / "calibration.png", dpi=150)


def main() -> None:
    """Print the figures with their intervals, and write the calibration."""
    parser = argparse.ArgumentParser(description="step precision, recall, ROC-AUC and calibration")
    parser.add_argument("--models", type=Path, default=Path("pocket"), help="folder of reasoner and prm")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--num-traces", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    reasoner = Qwen2ForCausalLM.from_pretrained(given.models / "reasoner").eval()
    traces = on_policy_traces(reasoner, given.num_traces, seed=given.seed, split="test")
    scores, labels = asyncio.run(scored(given.models, traces))
    num_steps = sum(map(len, scores))
    print(f"{len(scores)} traces, {num_steps} steps, {sum(map(sum, labels)) / num_steps:.1%} of them right")
    for name, statistic in FIGURES.items():
        found = estimate(statistic, scores, labels)
        low, high = found.ci95 or (float("nan"),) * 2
        print(
            f"{name}: {found.value:.3f} [{low:.3f}, {high:.3f}]" if found.value is not None else f"{name}: -"
        )
    bins = calibration([s for t in scores for s in t], [o for t in labels for o in t])
    print(f"expected calibration error: {expected_calibration_error(bins):.3f}")
    write_calibration(bins, given.out)


if __name__ == "__main__":
    main()
