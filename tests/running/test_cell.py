"""What a cell finds out before anything is loaded."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.running.cells import sums_cell
from tts_eval.model import Model
from tts_eval.records import Problem


class Products:
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
