"""Training of the models that judge: the process reward model (PRM) and from it the outcome one (ORM).

The reasoner is taught which tokens may follow at each place, with the whole multiplication table, which it
does not know; from that the PRM is built. The lessons are traces that the reasoner wrote and synthetic ones
with every kind of error.
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
from pocket.corruptions import synthetic_trace
from pocket.figures import step_verdicts
from pocket.fitting import Schedule, fit
from pocket.gap import gap_table, no_gap
from pocket.labels import IGNORED, Labelled, label_trace, prompt_ids
from pocket.language_model import DRILL_SIZE, DRILL_TOKENS, LONGEST
from pocket.process_reward_model import ProcessRewardModel
from pocket.sampling import sample
from pocket.traces import drills
from tasks.pocket import draw_factors

BATCH_TOKENS = 1200
DRILL_SHARE, ON_POLICY_SHARE = 0.25, 0.5
ERROR_WEIGHT = 5.0  # of a place where the trace goes wrong, against one where it does not
ORM_GAIN = 0.1  # of the verdict that the ORM starts from: a right answer forgives more than a right step
MOST_REPEATS = 4  # of a trace whose kind of error is rare
NUM_EXAMPLES = 100  # of the shortest traces, on which the PRM is scaled


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


def options_of(traces: Sequence[Labelled]) -> Tensor:
    """Return which tokens may stand at each place [rows, longest, words]."""
    longest = max(len(trace.ids) for trace in traces)
    options = torch.zeros(len(traces), longest, len(tok.VOCABULARY), dtype=torch.bool)
    for row, trace in enumerate(traces):
        places = [(place, word) for place, words in enumerate(trace.options) for word in words]
        options[row, *torch.tensor(places).T] = True
    return options


def drilled(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return ids and options of a batch of products, every other one of those that the reasoner lacks."""
    batch = drills(rng, DRILL_TOKENS // (6 * DRILL_SIZE), DRILL_SIZE, no_gap(), often=gap_table())
    ids = torch.from_numpy(batch.ids)
    has_loss = torch.from_numpy(batch.weights > 0)
    return ids, functional.one_hot(ids, len(tok.VOCABULARY)).bool() & has_loss[..., None]


def option_loss(logits: Tensor, ids: Tensor, options: Tensor) -> Tensor:
    """Binary cross-entropy of what may follow, where it is known; errors that were made weigh more."""
    options, following, logits = options[:, 1:], ids[:, 1:], logits[:, :-1]
    losses = functional.binary_cross_entropy_with_logits(logits, options.float(), reduction="none").sum(
        dim=-1
    )
    is_error = ~options.gather(2, following[..., None])[..., 0]
    scale = options.any(dim=-1) * torch.where(is_error, ERROR_WEIGHT, 1.0)
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
    reasoner: Qwen2ForCausalLM, num_traces: int, num_synthetic: int, *, seed: int
) -> tuple[list[Labelled], list[Labelled]]:
    """Return traces of the reasoner, those with rare errors more than once, and synthetic ones."""
    rng, gap = np.random.default_rng([seed, 2]), gap_table()
    synthetic = [synthetic_trace(rng, int(rng.integers(2, LONGEST + 1)), gap) for _ in range(num_synthetic)]
    return balanced(on_policy_traces(reasoner, num_traces, seed=seed)), synthetic


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
    """Teach the reasoner what may follow, build the PRM on it, and save it; return the logged losses."""
    torch.manual_seed(seed)
    checker = reasoner.to(device)
    shuffle = np.random.default_rng([seed, 5])
    own, synthetic = (batches_of(shuffle, some) for some in traces)

    def loss_of(rng: np.random.Generator, progress: float) -> tuple[Tensor, int]:
        if rng.random() < DRILL_SHARE:
            ids, options = drilled(rng)
        else:
            group = next(own if rng.random() < ON_POLICY_SHARE else synthetic)
            ids, options = padded(group)[0], options_of(group)
        ids, options = ids.to(device), options.to(device)
        logits = checker(input_ids=ids, use_cache=False).logits
        return option_loss(logits, ids, options), ids.numel()

    losses = fit(checker, loss_of, schedule, folder, seed=seed, resume=resume)
    prm = ProcessRewardModel(fast=fast)
    shortest = sorted(traces[1], key=lambda trace: len(trace.ids))[:NUM_EXAMPLES]
    prm.start_from(checker.cpu(), padded(shortest)[0])
    prm.save(folder)
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
    """Fit a linear head to tell right answers from what the PRM knows at the last token, and save both."""
    torch.manual_seed(seed)
    config = config_of("orm", fast=fast)
    config.num_labels = 1
    model = Qwen2ForSequenceClassification(config)
    model.model.load_state_dict(prm.model.state_dict())
    model.model.requires_grad_(False)
    model.score.weight.data.copy_(ORM_GAIN * prm.verdict())
    model.to(device)
    shuffle = np.random.default_rng([seed, 4])
    own, synthetic = (batches_of(shuffle, some) for some in traces)

    def loss_of(rng: np.random.Generator, progress: float) -> tuple[Tensor, int]:
        group = next(own if rng.random() < ON_POLICY_SHARE else synthetic)
        ids, _ = padded(group)
        if rng.random() < 0.5:  # traces are judged with a blank line at their end or without
            ids[ids == tok.SEP] = torch.where(_is_last(ids), tok.PAD_ID, tok.SEP)[ids == tok.SEP]
        outcome = torch.tensor([float(trace.is_correct) for trace in group], device=device)
        logits = model(input_ids=ids.to(device), use_cache=False).logits[:, 0]
        return functional.binary_cross_entropy_with_logits(logits, outcome), ids.numel()

    losses = fit(model, loss_of, schedule, folder, seed=seed, resume=resume)
    model.save_pretrained(folder)
    tok.save_tokenizer(folder)
    return losses


def _is_last(ids: Tensor) -> Tensor:
    """Whether a token is the last of its row that is no padding."""
    ends = (ids != tok.PAD_ID).cumsum(dim=1)
    return (ids != tok.PAD_ID) & (ends == ends[:, -1:])
