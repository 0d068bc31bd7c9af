"""What evaluation asks of running engines: forced answers, a second pass, beam search, drafted decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pocket import engine, figures
from pocket import tokenizer as tok
from pocket.corruptions import synthetic_trace
from pocket.engine import Ids
from pocket.figures import Sample
from pocket.gap import gap_table
from pocket.labels import prompt_ids
from tasks.pocket import Factors, PocketTask, product
from tts_eval.toolkit.voting import aggregate

MAX_TOKENS = 300
FORCED = [tok.END_THINK, tok.BOXED]
BEAM_WIDTH, BEAM_BRANCHES = 4, 4


@dataclass(frozen=True, slots=True)
class Problems:
    """The evaluation problems as factors, levels and prompts."""

    factors: list[Factors]
    levels: list[int]
    prompts: list[Ids]

    @classmethod
    def draw(cls, num_problems: int, split: str, seed: int) -> Problems:
        """Take the first problems of the task."""
        drawn = list(PocketTask(limit=num_problems, seed=seed, split=split).problems())
        factors = [tuple(problem.metadata["factors"]) for problem in drawn]
        return cls(factors, [problem.level or 0 for problem in drawn], [prompt_ids(f) for f in factors])

    def at(self, places: Sequence[int]) -> Problems:
        """Return some of the problems."""
        return Problems(
            [self.factors[i] for i in places],
            [self.levels[i] for i in places],
            [self.prompts[i] for i in places],
        )

    def solved_by(self, responses: Sequence[Ids]) -> list[float]:
        """Return 1.0 for each problem that its response solves."""
        return [
            float(figures.answer_of(r) == product(f)) for r, f in zip(responses, self.factors, strict=True)
        ]


def _thinking(response: Ids) -> Ids:
    return response[: response.index(tok.END_THINK)] if tok.END_THINK in response else response


def forced_answers(llm: Any, problems: Problems, responses: Sequence[Ids], budget: int) -> list[float]:
    """Cut thinking that is longer than the budget and force an answer; return which answers are right."""
    prompts = [p + _thinking(r)[:budget] + FORCED for p, r in zip(problems.prompts, responses, strict=True)]
    answers = engine.generate(llm, prompts, temperature=0, max_tokens=1)
    return problems.solved_by([[*FORCED, *rows[0], tok.CLOSE] for rows in answers])


def second_pass(llm: Any, problems: Problems, responses: Sequence[Ids], temperature: float) -> list[float]:
    """Take the end of thinking back and say `Wait`; return which of the new answers are right."""
    prompts = [p + _thinking(r) + [tok.WAIT] for p, r in zip(problems.prompts, responses, strict=True)]
    more = engine.generate(llm, prompts, temperature=temperature, max_tokens=MAX_TOKENS)
    return problems.solved_by([rows[0] for rows in more])


def beam_search(
    llm: Any, prm: Any, problems: Problems, *, temperature: float, how: str
) -> tuple[list[float], list[int]]:
    """Search over steps guided by the PRM, all problems at once; return what is right and tokens spent."""
    beams: list[dict[tuple[int, ...], float]] = [{tuple(prompt): 1.0} for prompt in problems.prompts]
    spent = [0] * len(beams)
    while grown := [(i, list(ids)) for i, beam in enumerate(beams) for ids in beam if not _is_done(ids)]:
        first = len(grown[0][1]) == len(problems.prompts[grown[0][0]])
        branches = engine.generate(
            llm,
            [ids for _, ids in grown],
            n=BEAM_WIDTH * BEAM_BRANCHES if first else BEAM_BRANCHES,
            temperature=temperature,
            max_tokens=64,
            stop_token_ids=[tok.SEP],
        )
        children = [(i, ids + more) for (i, ids), rows in zip(grown, branches, strict=True) for more in rows]
        for i, rows in ((i, rows) for (i, _), rows in zip(grown, branches, strict=True)):
            spent[i] += sum(map(len, rows))
        pools = [{ids: score for ids, score in beam.items() if _is_done(ids)} for beam in beams]
        scores = engine.step_scores(prm, [ids for _, ids in children])
        for (i, ids), values in zip(children, scores, strict=True):
            pools[i][tuple(ids)] = aggregate(values, how)
        beams = [dict(sorted(pool.items(), key=lambda item: -item[1])[:BEAM_WIDTH]) for pool in pools]
    best = [max(beam, key=lambda ids: beam[ids]) for beam in beams]
    responses = [list(ids[len(p) :]) for ids, p in zip(best, problems.prompts, strict=True)]
    return problems.solved_by(responses), spent


def _is_done(ids: Sequence[int]) -> bool:
    return ids[-1] == tok.EOS_ID or len(ids) > MAX_TOKENS + 20


def drafted(llm: Any, problems: Problems, greedy: Sequence[Ids]) -> dict[str, float]:
    """Decode greedily under a draft: the mean acceptance length, and whether the text stays the same."""
    found = engine.generate(llm, problems.prompts, temperature=0, max_tokens=MAX_TOKENS)
    same = [rows[0] == plain for rows, plain in zip(found, greedy, strict=True)]
    return {
        "mean acceptance length": engine.mean_acceptance_length(llm),
        "share of identical responses": float(np.mean(same)),
    }


def synthetic_samples(prm: Any, num_traces: int) -> list[list[Sample]]:
    """Judge synthetic traces of the test split, which have every kind of error."""
    rng, gap = np.random.default_rng(99), gap_table()
    traces = [synthetic_trace(rng, int(rng.integers(3, 13)), gap, split="test") for _ in range(num_traces)]
    scores = engine.step_scores(prm, [trace.ids for trace in traces])
    judged = []
    for trace, values in zip(traces, scores, strict=True):
        start = trace.ids.index(tok.THINK) + 1
        factors = tuple(token - tok.NUMBER for token in trace.ids[2 : trace.ids.index(tok.MOD)])
        judged.append([figures.judge(factors, trace.ids[start:], values, 0.0)])
    return judged
