"""Write FIGURES.md and the model cards from the measured figures: `python -m pocket.card --seed 0`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pocket.figures import AGGREGATES
from pocket.language_model import CUT_SHARE, RECHECKED_SHARE, TWIN_SHARE, WEAK_LARGEST_KNOWN
from pocket.train import NUM_SYNTHETIC, NUM_TRACES, SCHEDULES
from tasks.pocket import LARGEST_FACTOR, LEVEL_FACTORS, MODULUS

FOLDER = Path(__file__).parent
Figures = dict[str, Any]

FEWEST = 30
BARS: tuple[tuple[str, str, tuple[str, ...]], ...] = (  # heading, bar, where the figure stands
    ("greedy", ".50-.75, falling with level", ("greedy", "all")),
    ("single sample", "", ("single", "all")),
    ("single sample, temperature 1", "", ("single at temperature 1", "all")),
    ("majority@4", "", ("majority@4", "all")),
    ("majority@16", "below .95", ("majority@16", "all")),
    ("majority@16 - greedy, paired", "at least +.10", ("majority@16 - greedy", "all")),
    ("pass@16", "at least .95", ("pass@16", "all")),
    *(
        (
            f"best of {more} - best of {fewer}, {how}",
            "at least 0",
            (f"best of {more} - best of {fewer}, {how}", "all"),
        )
        for how in AGGREGATES
        for fewer, more in ((4, 16), (16, 64))
    ),
    *(
        (
            f"best of 16, {how} - majority@16, levels 4-5",
            "at least 0",
            (f"best of 16, {how} - majority@16, levels 4-5",),
        )
        for how in AGGREGATES
    ),
    (
        "PRM weighted vote@16 (min) - majority@16, paired",
        "at least 0",
        ("weighted vote@16, min - majority@16", "all"),
    ),
    ("step AUC within problems", "at least .90", ("step AUC within problems",)),
    (f"PRM recall, worst kind of {FEWEST}+ first errors", "at least .75", ("worst recall",)),
    ("right steps that the PRM scores below .5", "", ("false alarms",)),
    (
        "beam - best of n of equal tokens, levels 4-5",
        "at least 0",
        ("beam search on levels 4-5", "beam - best of n"),
    ),
    ("weak reasoner, greedy", "below the reasoner at every level", ("weak greedy", "all")),
    ("answer after one `Wait`", "", ("after Wait", "all")),
    ("generated tokens a sample", "50-400 at levels 2-5", ("tokens", "all")),
    ("mean acceptance length", "above 2.5", ("draft", "mean acceptance length")),
    ("greedy responses unchanged by the draft", "all", ("draft", "share of identical responses")),
)

WRITER = f"""\
Data: products of 2-12 distinct numbers 2..{LARGEST_FACTOR} modulo {MODULUS}, drawn on the fly. Only
problems whose hash falls into the training split are used (80%; the sorted factors decide). A step
merges two random neighbours and copies the rest of the list. Plain traces, {RECHECKED_SHARE:.0%} that
check again after `Wait`, {CUT_SHARE:.0%} cut at random with an answer forced, {TWIN_SHARE:.0%} in which
numbers come up twice on purpose, and drills of single products. All steps that are trained on are
right. The result of a product by a number above {{largest_known}} never has a loss: such numbers come
up on the way, and this is what the model does not know. Which neighbours are merged is a free choice
and learnt as one.

Recipe: {{tokens:,}} tokens, AdamW (.9, .95), no weight decay, peak rate {{rate}}, warm-up of 100k
tokens, linear decay over the last {{decay:.0%}}; results weigh x3.{{polish}} Two layers start out with
induction heads that prefer the nearest match (`architecture.py`).

Limits: it knows this task only; other text is passed over. Numbers above {LARGEST_FACTOR} are never
factors of a problem.
"""

ABOUT = {
    "reasoner": "The reasoner: a Qwen2 of 0.8M parameters that multiplies numbers step by step",
    "weak": "The weaker reasoner: a Qwen2 of 0.3M parameters that knows less, for cascades",
    "draft": "The draft of the reasoner for speculative decoding: a Qwen2 of 0.1M parameters",
    "prm": "The process reward model: Qwen2ForProcessRewardModel, read at the blank line (token id 9)",
    "orm": "The outcome reward model: Qwen2ForSequenceClassification, one logit at the last token",
}
JUDGE = {
    "prm": f"""\
Learns which tokens may follow at each place, with the whole multiplication table, which the reasoner
does not know: binary cross-entropy of each of the vocabulary's tokens. The places where a trace goes
wrong weigh x5. What judges is built on top and not trained: a layer that looks up, one place later, what
was said of the token that is there, and one that remembers the least of it (`process_reward_model.py`).
A score is one minus a sigmoid of how far the worst token so far falls below a threshold that was set by
hand on the dev split. It is meant as the probability that the trace is right up to there; it is not
calibrated. The answer is scored at a blank line that is appended to the trace.

Data: {NUM_TRACES:,} traces of the reasoner on training problems (temperature .8), those with rare kinds
of error repeated, {NUM_SYNTHETIC:,} synthetic ones with every kind of error, and drills of products.
""",
    "orm": """\
The layers of the PRM, read at the last token: a linear head is fitted to whether the final answer is
right. The layers themselves stay as they are.

Data: the traces of the PRM.
""",
}
JUDGED = """\
{lesson}
Recipe: {tokens:,} tokens, AdamW (.9, .95), peak rate {rate}, linear decay over the last
{decay:.0%}.

Limits: it judges this task and this format only. What comes after a `Wait` is not judged again: an error
before it counts on. Right answers that are forced early are doubted. Numbers that stand in the list twice
confuse it as they confuse the reasoner: see the synthetic errors in `../FIGURES.md`.
"""
FIGURES = """\
# Figures of the pocket models

{num_problems} problems of the {split} split (task seed {task_seed}), {num_samples} samples each at
temperature {temperature}, vLLM on CPU. Brackets are 95% bootstrap intervals over problems. {why}

{bars}

## By level, the seed that ships

{levels}

## Kinds of error, the seed that ships

{errors}
"""


def shown(value: Any) -> str:
    """Write a mean with its interval."""
    if not isinstance(value, list):
        return f"{value:.3f}" if isinstance(value, float) else str(value)
    mean, low, high = value
    digits = 1 if abs(mean) > 2 else 3
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Lay out a Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def figure_at(found: Figures, path: tuple[str, ...]) -> str:
    """Show the figure at a path of keys, if it was taken."""
    value: Any = found
    for key in path:
        value = value.get(key) if value is not None else None
    return "not measured" if value is None else shown(value)


def worst_recall(found: Figures) -> str:
    """Name the kind of first error, of those that are not rare, which the PRM overlooks most."""
    recalls = found["recall of first errors"]
    common = {kind: share for kind, (share, count) in recalls.items() if count >= FEWEST}
    worst = min(common, key=lambda kind: common[kind])
    return f"{common[worst]:.3f} ({worst})"


def bars_table(seeds: dict[str, Figures]) -> str:
    """Set the bars beside the seeds."""
    found = [{**figures, "worst recall": worst_recall(figures)} for figures in seeds.values()]
    rows = [[heading, bar, *(figure_at(one, path) for one in found)] for heading, bar, path in BARS]
    return table(["figure", "bar", *seeds], rows)


def level_table(found: Figures) -> str:
    """Show the main figures by level."""
    columns = ["all", *(f"L{level}" for level in LEVEL_FACTORS)]
    keys = [path[0] for _, _, path in BARS if path[-1] == "all" and not path[0].startswith("best")]
    keys += [f"best of {n}, {name}" for name in (*AGGREGATES, "outcome") for n in (4, 16, 64)]
    keys += [f"weighted vote@{n}, min" for n in (4, 16, 64)] + [
        key for key in found if key.startswith("budget")
    ]
    return table(
        ["", *columns], [[key, *(shown(found[key][c]) for c in columns)] for key in keys if key in found]
    )


def error_table(found: Figures) -> str:
    """Show what goes wrong first in a trace, and how often the PRM sees it."""
    kinds = {**found["recall of first errors, synthetic"], **found["recall of first errors"]}
    rows = []
    for kind in sorted(kinds, key=lambda kind: -found["first errors"].get(kind, 0)):
        own, made = (found[f"recall of first errors{end}"].get(kind) for end in ("", ", synthetic"))
        recalls = [f"{value[0]:.2f} of {value[1]}" if value else "-" for value in (own, made)]
        rows.append([kind, str(found["first errors"].get(kind, 0)), *recalls])
    heads = ["first error", "samples", "PRM recall, samples", "PRM recall, synthetic"]
    return f"{found['wrong traces']} of {found['traces']} samples end wrong.\n\n" + table(heads, rows)


def recipe_of(name: str) -> str:
    """Describe data and recipe of one model."""
    schedule = SCHEDULES[name]
    polish = f" Then {schedule.polish_tokens:,} tokens at {schedule.polish_share} of the rate, decaying."
    facts = {
        "tokens": schedule.tokens,
        "rate": schedule.learning_rate,
        "decay": schedule.decay_share,
        "polish": polish if schedule.polish_tokens else "",
        "largest_known": WEAK_LARGEST_KNOWN if name == "weak" else LARGEST_FACTOR,
    }
    if name in JUDGE:
        return JUDGED.format(lesson=JUDGE[name], **facts)
    return WRITER.format(**facts)


def main() -> None:
    """Read the figures and write the cards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the training seed that ships")
    parser.add_argument("--why", default="", help="why that seed")
    options = parser.parse_args()
    shipped: Figures = json.loads((FOLDER / "figures.json").read_text())
    seeds = {f"seed {options.seed} (ships)": shipped}
    for path in sorted(FOLDER.glob("figures_seed_*.json")):
        seeds[f"seed {path.stem.removeprefix('figures_seed_')}"] = json.loads(path.read_text())
    text = FIGURES.format(
        **shipped,
        why=options.why,
        bars=bars_table(seeds),
        levels=level_table(shipped),
        errors=error_table(shipped),
    )
    (FOLDER / "FIGURES.md").write_text(text)
    for name, about in ABOUT.items():
        key = {"reasoner": "greedy", "weak": "weak greedy"}.get(name)
        figures = f"Greedy accuracy {shown(shipped[key]['all'])}. " if key else ""
        (FOLDER / name / "README.md").write_text(
            f"# {about}\n\n{recipe_of(name)}\nFigures: {figures}All, with intervals: `../FIGURES.md`.\n"
        )


if __name__ == "__main__":
    main()
