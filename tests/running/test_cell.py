"""What a cell finds out before anything is loaded."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from strategies.budgeted_cot import BudgetedCot
from strategies.majority_vote import MajorityVote
from tests.running.cells import sums_cell
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.model import Model
from tts_eval.protocols import Task
from tts_eval.records import Problem


class Products(Task):
    """What the tokenizer of the tiny model reads."""

    name = "products"

    def problems(self) -> list[Problem]:
        return [Problem("p", " 2 * 3 =", "6")]


def test_a_model_whose_flops_cannot_be_counted_runs_without_them(tiny: Model, tmp_path: Path) -> None:
    for file in Path(tiny.path).iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    checked, _ = sums_cell(tmp_path / "run")
    products = Products()
    known = replace(checked.cell, model=tiny, task=products).check()
    assert known.architecture is not None
    assert known.architecture["hidden_size"] == config["hidden_size"]

    odd = {**config, "layer_types": ["chunked_attention"] * config["num_hidden_layers"]}
    (tmp_path / "config.json").write_text(json.dumps(odd))
    with pytest.warns(UserWarning, match="FLOPs stay unknown"):
        unknown = replace(checked.cell, model=replace(tiny, path=str(tmp_path)), task=products).check()
    assert unknown.architecture is None


def test_a_cap_that_no_engine_keeps_is_refused(tiny: Model, tmp_path: Path) -> None:
    capped = MajorityVote(n=2, sampler=BudgetedCot(enforced_by="engine", temperature=None))
    cell = replace(
        sums_cell(tmp_path)[0].cell, model=tiny, engine=VllmEngine(), task=Products(), strategy=capped
    )
    with pytest.raises(ValueError, match=r"^strategy\.enforced_by=engine needs engine=vllm_thinking$"):
        cell.check()
    replace(cell, engine=VllmEngine(ends_thinking=True)).check()
