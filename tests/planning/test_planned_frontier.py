"""Measured cells on other hardware: their accuracy, our time and dollars."""

from __future__ import annotations

import math
from dataclasses import replace
from io import StringIO

import msgspec
import pytest
from rich.console import Console

from tests.planning.nodes import SETTINGS, hardware_named, model_named
from tests.planning.runs import played
from tests.summary.made import summary_of
from tts_eval.hardware import Hardware
from tts_eval.planning.model import Node
from tts_eval.planning.plan_settings import config_of
from tts_eval.planning.planned_frontier import Prospect, prospect_rows, prospects
from tts_eval.planning.recorded import RecordedRun
from tts_eval.planning.table import print_prospects
from tts_eval.planning.workload import Workload


@pytest.fixture(scope="module")
def hardware() -> Hardware:
    return hardware_named("h200")


@pytest.fixture(scope="module")
def node(hardware: Hardware) -> Node:
    return SETTINGS.node(config_of(model_named("pocket")), hardware, timings=None)


def cell(name: str, *, samples: int, tokens: int, num_correct: int) -> RecordedRun:
    jobs = Workload(num_problems=20, prompt_tokens=10, reasoning_tokens=tokens, samples=samples).jobs()
    return played(name, jobs, in_flight=8, num_correct=num_correct)


@pytest.fixture(scope="module")
def found(node: Node, hardware: Hardware) -> list[Prospect]:
    """A vote that pays, one sample, and the same accuracy as that for four times the tokens."""
    runs = [
        cell("vote", samples=8, tokens=100, num_correct=15),
        cell("once", samples=1, tokens=100, num_correct=10),
        cell("long", samples=1, tokens=400, num_correct=10),
        cell("never", samples=1, tokens=500, num_correct=0),
    ]
    return prospects(runs, node, hardware, num_gpus=2, rank_by="usd_per_problem")


def test_what_costs_more_for_no_more_accuracy_is_on_no_frontier(found: list[Prospect]) -> None:
    on = {prospect.name: set(prospect.on) for prospect in found}

    assert on["once"] == on["vote"] == {"tta_p50_s", "tta_p99_s", "usd_per_problem"}
    assert on["long"] == on["never"] == set()


def test_dollars_per_correct_answer_are_those_of_a_problem_over_the_measured_accuracy(
    found: list[Prospect], hardware: Hardware
) -> None:
    once = found[1]
    wall_s, price = once.outlook.wall_s, hardware.usd_per_gpu_hour
    assert wall_s is not None and price is not None

    assert once.outlook.usd_per_problem.stated == pytest.approx(2 * wall_s / 3600 * price / 20)
    assert once.usd_per_correct.stated == pytest.approx(2 * wall_s / 3600 * price / 10)
    assert once.usd_per_correct.high == pytest.approx(2 * wall_s / 3600 * 7.0 / 10)
    assert found[3].usd_per_correct.stated == math.inf


def test_table_and_rows_say_what_is_measured_and_what_is_modelled(found: list[Prospect]) -> None:
    console = Console(record=True, width=220, file=StringIO())
    print_prospects(found, title="2 x H200", console=console)

    text = console.export_text()
    assert "accuracy measured, all else modelled; 2 x H200" in text
    assert "0.750 [0.000, 1.000]" in text
    assert {"accuracy_measured", "tta_p50_s_modelled", "usd_per_correct_modelled"} <= set(
        prospect_rows(found)[0]
    )


def test_runs_over_other_problems_are_refused(node: Node, hardware: Hardware) -> None:
    one = cell("one", samples=1, tokens=10, num_correct=1)
    other = replace(one, manifest=msgspec.structs.replace(one.manifest, problems="sha256:other"))

    with pytest.raises(ValueError, match="must hold runs over the same problems of one task, not pocket"):
        prospects([one, other], node, hardware, num_gpus=1, rank_by="tta_p50_s")


def test_a_run_without_accuracy_is_refused(node: Node, hardware: Hardware) -> None:
    """As one with synthetic acceptance."""
    one = cell("one", samples=1, tokens=10, num_correct=1)
    without = replace(one, summary=summary_of(accuracy=None, accuracy_ci95=None))

    with pytest.raises(ValueError, match="one has no accuracy that could be taken over"):
        prospects([without], node, hardware, num_gpus=1, rank_by="tta_p50_s")
