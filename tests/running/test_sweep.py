"""Cells with equal model and engine settings share one engine."""

from dataclasses import replace
from pathlib import Path

from tests.running.cells import Calculator, CalculatorSettings, sums_cell
from tts_eval.llm.scripted import WordCodec
from tts_eval.records import Problem
from tts_eval.running.cell import CheckedCell
from tts_eval.running.sweep import run_sweep, sharing_an_engine


def with_model(checked: CheckedCell, name: str) -> CheckedCell:
    return replace(checked, cell=replace(checked.cell, model=replace(checked.cell.model, name=name)))


def test_groups_come_in_the_order_of_their_first_cell(tmp_path: Path) -> None:
    one, _ = sums_cell(tmp_path / "one")
    two = with_model(one, "two")
    groups = sharing_an_engine([one, two, one, two, one])
    assert [[c.cell.model.name for c in group] for group in groups] == [["scripted"] * 3, ["two"] * 2]


async def test_two_cells_one_start(tmp_path: Path) -> None:
    engine = Calculator({}, codec=WordCodec())
    settings = CalculatorSettings(engine)
    cells = [
        sums_cell(tmp_path / name, engine=engine, settings=lambda _: settings)[0] for name in ("one", "two")
    ]
    said: list[str] = []
    sweep = await run_sweep(cells, say=said.append)
    assert settings.starts == ["started", "stopped"]
    assert [summary.answers.num_correct for _, summary in sweep.summaries] == [2, 2]
    all_gauges = [summary.gauges for _, summary in sweep.summaries]
    assert [gauges and gauges.engine_generated_tokens for gauges in all_gauges] == [15, 15]
    assert sweep.failures == []


async def test_a_gold_answer_that_does_not_parse_is_told_before_an_engine_starts(tmp_path: Path) -> None:
    checked, engine = sums_cell(tmp_path)
    odd = Problem("odd", "0 + 0", "\\frac{1}{")
    settings = CalculatorSettings(engine)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(f"{len(settings.starts)} starts: {line}")

    cell = replace(checked.cell, engine=settings)
    await run_sweep([replace(checked, cell=cell, problems=(*checked.problems, odd))], say=say)
    assert said[0].startswith("0 starts: the gold answer of odd does not parse")


async def test_a_dead_engine_fails_its_own_cells_and_the_others_go_on(tmp_path: Path) -> None:
    dying = Calculator({}, codec=WordCodec(), dies_after=2)
    doomed = [sums_cell(tmp_path / name, engine=dying)[0] for name in ("one", "two")]
    sound = with_model(sums_cell(tmp_path / "three")[0], "another")
    sweep = await run_sweep([*doomed, sound], say=lambda _: None)
    assert [checked.cell.name for checked, _ in sweep.failures] == ["one", "two"]
    assert all("EngineDied: the scripted engine died" in reason for _, reason in sweep.failures)
    assert [checked.cell.name for checked, _ in sweep.summaries] == ["three"]
