"""Training of the models that judge: the process reward model (PRM) and from it the outcome one (ORM).

Both know the whole multiplication table, which the reasoner does not. They learn from traces that the
reasoner wrote and from synthetic ones with every kind of error, and know nothing of how scores are used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import Qwen2ForCausalLM, Qwen2ForSequenceClassification

from pocket import tokenizer as tok
from pocket.architecture import config_of
from pocket.figures import step_verdicts
from pocket.fitting import Schedule, fit
from pocket.gap import gap_table, no_gap
from pocket.labels import IGNORED, Labelled, label_trace, prompt_ids, synthetic_trace
from pocket.language_model import DRILL_SIZE, DRILL_TOKENS, LONGEST, draw_batch, language_loss
from pocket.process_reward_model import ProcessRewardModel
from pocket.sampling import sample
from pocket.traces import Batch, drills
from tasks.pocket import draw_factors

BATCH_TOKENS = 500
STEP_WEIGHT = 4.0  # of the label at the end of a step, against one token within it
LATER_WEIGHT = 0.25  # of what follows the first error of a trace
ON_POLICY_SHARE = 0.5
MOST_REPEATS = 4  # of a trace whose kind of error is rare
LANGUAGE_SHARE, GAP_DRILL_SHARE = 0.25, 0.3
NUM_EXAMPLES = 600  # of the shortest synthetic traces, on which the PRM is set up
TRACE_MIX = 0.7  # the progress at which the reasoner's training is mostly traces


def on_policy_traces(
    reasoner: Qwen2ForCausalLM, num_traces: int, *, seed: int, split: str = "train"
) -> list[Labelled]:
    """Let the reasoner solve problems of every length at temperature 0.8, and label what it writes."""
    rng, generator = np.random.default_rng([seed, 1]), torch.Generator().manual_seed(seed)
    traces = []
    for size in range(2, LONGEST + 1):
        rows = num_traces // (LONGEST - 1)
        factors = draw_factors(rng, rows, size, split).tolist()
        for first in range(0, rows, 128):
            chunk = factors[first : first + 128]
            limit = 40 + 8 * size + size * size // 2
            written = sample(
                reasoner,
                [prompt_ids(f) for f in chunk],
                temperature=0.8,
                max_tokens=limit,
                generator=generator,
            )
            traces += [label_trace(f, response) for f, response in zip(chunk, written, strict=True)]
    return traces


def batches_of(rng: np.random.Generator, traces: Sequence[Labelled]) -> Iterator[list[Labelled]]:
    """Group traces of like length into batches, in random order, for ever."""
    while True:
        jitter = rng.random(len(traces)) * 12
        order = np.argsort(np.array([len(t.ids) for t in traces]) + jitter)
        groups, group = list[list[Labelled]](), list[Labelled]()
        for index in order:
            group.append(traces[index])
            if len(group) * len(traces[index].ids) >= BATCH_TOKENS:
                groups.append(group)
                group = []
        groups += [group] if group else []
        for place in rng.permutation(len(groups)):
            yield groups[place]


def padded(traces: Sequence[Labelled]) -> tuple[Tensor, Tensor]:
    """Return ids and labels [rows, longest], padded on the right."""
    longest = max(len(trace.ids) for trace in traces)
    ids = torch.full((len(traces), longest), tok.PAD_ID)
    labels = torch.full((len(traces), longest), IGNORED)
    for row, trace in enumerate(traces):
        ids[row, : len(trace.ids)] = torch.tensor(trace.ids)
        labels[row, : len(trace.labels)] = torch.tensor(trace.labels)
    return ids, labels


def label_loss(logits: Tensor, ids: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the token labels; ends of steps weigh more, and what follows the first error less."""
    losses = functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="none"
    )
    wrong, ends = labels == 0, ids == tok.SEP
    earlier_wrong = wrong.cumsum(dim=1) > 1
    earlier_end = (wrong & ends).cumsum(dim=1) > 1
    is_later = wrong & torch.where(ends, earlier_end, earlier_wrong)
    scale = torch.where(ends, STEP_WEIGHT, 1.0) * torch.where(is_later, LATER_WEIGHT, 1.0)
    scale = (scale * (labels != IGNORED)).flatten()
    return (losses * scale).sum() / scale.sum()


def first_error(trace: Labelled) -> str:
    """Name the kind of the first wrong step, "" when there is none."""
    start = trace.ids.index(tok.THINK) + 1
    factors = tuple(token - tok.NUMBER for token in trace.ids[2 : trace.ids.index(tok.MOD)])
    return next((kind for is_right, kind in step_verdicts(factors, trace.ids[start:]) if not is_right), "")


def balanced(traces: Sequence[Labelled]) -> list[Labelled]:
    """Repeat traces with rare kinds of first error, so that each kind is a tenth of all, if it can be."""
    kinds = [first_error(trace) for trace in traces]
    count = Counter(kinds)
    repeats = {kind: min(MOST_REPEATS, max(1, len(traces) // (10 * n))) for kind, n in count.items()}
    return [trace for trace, kind in zip(traces, kinds, strict=True) for _ in range(repeats[kind])]


def training_traces(
    reasoner: Qwen2ForCausalLM, num_traces: int, *, seed: int
) -> tuple[list[Labelled], list[Labelled]]:
    """Return traces of the reasoner and synthetic ones, as many of each."""
    rng, gap = np.random.default_rng([seed, 2]), gap_table()
    synthetic = [synthetic_trace(rng, int(rng.integers(2, LONGEST + 1)), gap) for _ in range(num_traces)]
    return balanced(on_policy_traces(reasoner, num_traces, seed=seed)), synthetic


def whole_table(rng: np.random.Generator) -> Batch:
    """Draw right traces without a gap, or drills of what the reasoner was not taught."""
    if rng.random() < GAP_DRILL_SHARE:
        return drills(rng, DRILL_TOKENS // (6 * DRILL_SIZE), DRILL_SIZE, no_gap(), often=gap_table())
    return draw_batch(rng, no_gap(), TRACE_MIX)


def train_prm(
    reasoner: Qwen2ForCausalLM,
    traces: tuple[list[Labelled], list[Labelled]],
    schedule: Schedule,
    folder: Path,
    *,
    seed: int,
    resume: bool,
    fast: bool,
    device: torch.device,
) -> list[float]:
    """Train the PRM on token labels and on the whole table, and save it; return the logged losses."""
    torch.manual_seed(seed)
    model = ProcessRewardModel(fast=fast)
    model.start_from(reasoner, *padded(sorted(traces[1], key=lambda trace: len(trace.ids))[:NUM_EXAMPLES]))
    model.to(device)
    shuffle = np.random.default_rng([seed, 3])
    own, synthetic = batches_of(shuffle, traces[0]), batches_of(shuffle, traces[1])

    def loss_of(rng: np.random.Generator, progress: float) -> tuple[Tensor, int]:
        if rng.random() < LANGUAGE_SHARE:
            batch = whole_table(rng)
            ids = torch.from_numpy(batch.ids).to(device)
            return language_loss(model(ids)[1], batch), ids.numel()
        ids, labels = (
            t.to(device) for t in padded(next(own if rng.random() < ON_POLICY_SHARE else synthetic))
        )
        return label_loss(model(ids)[0], ids, labels), ids.numel()

    losses = fit(model, loss_of, schedule, folder, seed=seed, resume=resume)
    model.save(folder)
    return losses


def train_orm(
    prm: ProcessRewardModel,
    traces: tuple[list[Labelled], list[Labelled]],
    schedule: Schedule,
    folder: Path,
    *,
    seed: int,
    resume: bool,
    fast: bool,
    device: torch.device,
) -> list[float]:
    """Train the ORM from the PRM's layers to tell right answers at the last token, and save it."""
    torch.manual_seed(seed)
    config = config_of("orm", fast=fast)
    config.num_labels = 1
    model = Qwen2ForSequenceClassification(config)
    model.model.load_state_dict(prm.model.state_dict())
    model.to(device)
    shuffle = np.random.default_rng([seed, 4])
    own, synthetic = batches_of(shuffle, traces[0]), batches_of(shuffle, traces[1])

    def loss_of(rng: np.random.Generator, progress: float) -> tuple[Tensor, int]:
        group = next(own if rng.random() < 0.7 else synthetic)
        ids, _ = padded(group)
        if rng.random() < 0.3:
            ids[ids == tok.EOS_ID] = tok.PAD_ID  # the last token may be the end or what comes before it
        outcome = torch.tensor([float(trace.is_correct) for trace in group], device=device)
        logits = model(input_ids=ids.to(device), use_cache=False).logits[:, 0]
        return functional.binary_cross_entropy_with_logits(logits, outcome), ids.numel()

    losses = fit(model, loss_of, schedule, folder, seed=seed, resume=resume)
    model.save_pretrained(folder)
    tok.save_tokenizer(folder)
    return losses
