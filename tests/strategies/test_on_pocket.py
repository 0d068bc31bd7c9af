"""Every strategy of conf/strategy runs on the real engine with the pocket models; each engine starts once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hydra import initialize_config_dir

from tests.test_conf import cell
from tts_eval.options import CONF
from tts_eval.rundir.directory import RunDirectory
from tts_eval.running.cell import CheckedCell
from tts_eval.running.sweep import run_sweep
from tts_eval.summary.summary import Summary

NUM_PROBLEMS = 5
STRATEGIES = sorted(file.stem for file in (CONF / "strategy").glob("*.yaml"))
SMALL = {
    "adaptive_vote": ["strategy.max_n=5", "strategy.batch=2"],
    "best_of_n": ["strategy.n=3"],
    "beam_search": ["strategy.n=4", "strategy.beam_width=2", "strategy.lookahead=1"],
    "deepconf_offline": ["strategy.n=3", "strategy.window=8"],
    "deepconf_online": ["strategy.n=4", "strategy.num_warmup=2", "strategy.window=8", "strategy.every=4"],
    "doubling": ["strategy.first_tokens=8"],
    "dvts": ["strategy.n=4", "strategy.beam_width=2"],
    "early_exit": ["strategy.every=8", "strategy.patience=2"],
    "majority_vote": ["strategy.n=3"],
    "mcts": ["strategy.max_simulations=12", "strategy.width=2", "strategy.selection=puct"],
    "particle_filter": ["strategy.n=4", "strategy.anneal=true"],
    "rebase": ["strategy.n=4"],
    "self_aggregation": ["strategy.n=2", "strategy.max_tokens=200"],
    "self_refine": ["strategy.max_rounds=1", "strategy.max_tokens=200"],
    "weighted_vote": ["strategy.n=3"],
    "cascade": ["strategy.cheap.n=2", "strategy.strong.n=3", "strategy.cheap_role=draft"],
}
COMPOSED = {
    "cascade of best_of_n over cot": [
        "strategy=cascade",
        "strategy@strategy.cheap=best_of_n",
        "strategy.cheap.n=2",
        "strategy@strategy.strong=cot",
        "strategy.escalate_on=confidence",
    ],
    "mcts with rollouts": [
        "strategy=mcts",
        "strategy.max_simulations=4",
        "strategy.rollout=true",
        "strategy.answer_by=visits",
    ],
    "budgeted_cot inside majority_vote": [
        "strategy=majority_vote",
        "strategy.n=3",
        "+strategy@strategy.sampler=budgeted_cot",
        "strategy.sampler.temperature=null",
        "strategy.sampler.max_thinking_tokens=40",
    ],
    "early_exit inside majority_vote": [
        "strategy=majority_vote",
        "strategy.n=3",
        "+strategy@strategy.sampler=early_exit",
        "strategy.sampler.every=16",
    ],
    "a budget of 60 tokens over majority_vote": ["strategy=majority_vote", "budget.max_tokens=60"],
    "a deadline over best_of_n": ["strategy=best_of_n", "budget.deadline_s=0.2"],
}
PARTS = ["verifier=pocket_prm", "+model@roles.draft.model=pocket_weak"]
SPECULATING = {
    "speculative_decoding": ["strategy=speculative_decoding"],
    "majority_vote with speculation": ["strategy=majority_vote", "strategy.n=3", "speculation=ngram"],
}
PLAIN = {**{name: [f"strategy={name}", *SMALL.get(name, ())] for name in STRATEGIES}, **COMPOSED}
CELLS = {
    **{name: [*overrides, *PARTS] for name, overrides in PLAIN.items() if name not in SPECULATING},
    **SPECULATING,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Summary, RunDirectory]]:
    """Run all cells in one sweep."""
    folder = tmp_path_factory.mktemp("catalogue")

    def checked(name: str) -> CheckedCell:
        built = cell(*CELLS[name], f"task.limit={NUM_PROBLEMS}", "load=all_at_once", "tracking=none")
        return replace(built, name=name, directory=folder / name).check()

    with initialize_config_dir(str(CONF), version_base="1.3"):
        cells = [checked(name) for name in CELLS]
    sweep = asyncio.run(run_sweep(cells, say=print))
    assert sweep.failures == []
    return {c.cell.name: (summary, RunDirectory(c.cell.directory)) for c, summary in sweep.summaries}


@pytest.mark.parametrize("name", CELLS)
def test_it_solves_problems_and_keeps_its_books(
    name: str, runs: dict[str, tuple[Summary, RunDirectory]]
) -> None:
    summary, directory = runs[name]
    assert (summary.answers.num_problems, summary.answers.num_failed) == (NUM_PROBLEMS, 0), [
        outcome.error for outcome in directory.outcomes()
    ]
    spend = summary.budgeted.max_spend
    assert spend is not None
    for outcome in directory.outcomes():
        assert outcome.attempt is not None
        assert outcome.interims[-1].answer == outcome.attempt.answer
        assert outcome.spend.num_generated_tokens <= spend.num_tokens
        candidates = [candidate.answer for candidate in outcome.attempt.candidates]
        assert outcome.attempt.answer in [*candidates, None]


@pytest.mark.parametrize("name", [name for name in CELLS if name not in COMPOSED])
def test_what_it_booked_is_what_the_engine_made(
    name: str, runs: dict[str, tuple[Summary, RunDirectory]]
) -> None:
    summary, _ = runs[name]
    assert summary.gauges is not None
    assert summary.spent.tokens.by_role["policy"].generated == summary.gauges.engine_generated_tokens


def test_a_token_budget_holds_and_marks_those_it_cut(runs: dict[str, tuple[Summary, RunDirectory]]) -> None:
    """Sixteen traces of some twenty tokens and more: sixty are out after four steps of the engine."""
    summary, directory = runs["a budget of 60 tokens over majority_vote"]
    assert summary.budgeted.num_cut == {"tokens": NUM_PROBLEMS, "deadline": 0}
    for outcome in directory.outcomes():
        assert 60 <= outcome.spend.num_generated_tokens <= 60 + 3 * 16  # what came until all were stopped
    assert summary.gauges is not None
    assert summary.spent.tokens.generated == pytest.approx(summary.gauges.engine_generated_tokens, abs=5 * 16)
