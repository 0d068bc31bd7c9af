"""Every option of every group composes with the rest and can be built, without anything being loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

import tts_eval.command.launch  # noqa: F401  (registers the resolver that conf/config.yaml uses)
from tests.rundir.manifests import manifest
from tts_eval.command.compose import cell_of
from tts_eval.engines.protocol import EngineSettings
from tts_eval.options import CONF
from tts_eval.protocols import Load, Strategy, Task
from tts_eval.rundir.directory import RunDirectory
from tts_eval.running.cell import Cell

OPTIONS = [
    (str(file.parent.relative_to(CONF)), file.stem)
    for file in sorted(CONF.rglob("*.yaml"))
    if file.parent != CONF and not {"hydra", "family"} & {*file.parts}
]
MANDATORY = {
    ("model", "local"): ["model.path=FOLDER"],
    ("task", "hub"): ["task.path=rows.jsonl"],
    ("task", "jsonl"): ["task.path=rows.jsonl"],
    ("verifier", "outcome_reward"): ["roles.verifier.model.path=FOLDER"],
    ("verifier", "yes_no"): ["roles.verifier.model.path=FOLDER"],
    ("engine", "server"): ["engine.urls=[http://127.0.0.1:8000/v1]", "engine.num_gpus=1"],
    ("engine", "replay"): ["engine.run=run"],
    ("engine", "replay_traces"): [
        "engine.path=rows.jsonl",
        "engine.problem=question",
        "engine.answer=answer",
        "engine.gold=answer",
    ],
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text('{"question": "1+1?", "answer": "2"}\n')
    write_run(tmp_path / "run")


def write_run(folder: Path) -> None:
    """Write what a replay reads of a run of one problem and one sample."""
    folder.mkdir()
    task = {"_target_": "tasks.pocket.PocketTask"}
    config = {"model": {"name": "pocket", "path": "pocket/reasoner"}, "strategy": {}, "task": task}
    RunDirectory(folder).write_manifest(manifest(config=config))
    candidate = {"text": "2", "num_tokens": 1, "finish": "end", "score": None, "step_scores": None}
    call = {"problem_id": "p", "session": 0, "number": 0, "role": "policy"}
    documents: dict[str, dict[str, Any]] = {
        "summary.json": {},
        "problems.jsonl": {
            "problem_id": "p",
            "gold": "2",
            "level": None,
            "session": 0,
            "attempt": {"answer": "2", "candidates": [candidate]},
        },
        "calls.jsonl": {**call, "num_generated_tokens": 1, "num_prompt_tokens": 4, "num_cached_tokens": 0},
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document) + "\n")


@pytest.fixture
def conf() -> Iterator[None]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def composed(*overrides: str) -> tuple[DictConfig, DictConfig]:
    """Return the configuration and Hydra's own node, as the program gets them."""
    config = compose("config", ["hydra.runtime.output_dir=out", *overrides], return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    node = OmegaConf.create({"hydra": config.hydra}).hydra
    plain = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return plain, node


def cell(*overrides: str) -> Cell:
    return cell_of(*composed(*overrides))


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_an_option_composes_and_is_built(conf: None, group: str, option: str) -> None:
    plus = "+" if group.startswith("experiment") else ""
    built = cell(f"{plus}{group}={option}", *MANDATORY.get((group, option), ()))

    assert isinstance(built.task.name, str)
    assert callable(built.strategy.solve)
    assert callable(built.load.drive)
    assert built.engine.num_gpus >= (0 if option.startswith("replay") else 1)
    if not plus and group != "fleet":  # no part of what a cell is
        assert built.labels[group] == option


def test_the_defaults_are_the_pocket_model_on_the_pocket_task(conf: None) -> None:
    built = cell()

    assert (built.model.name, built.task.name, built.seed) == ("pocket", "pocket", 0)
    assert built.verifier is None
    assert built.labels == {
        "model": "pocket",
        "task": "pocket",
        "strategy": "cot",
        "verifier": "none",
        "engine": "vllm",
        "speculation": "none",
        "load": "concurrent",
        "hardware": "auto",
        "tracking": "wandb",
    }


def test_every_setting_of_a_group_is_a_field_of_its_class(conf: None) -> None:
    """What the YAML leaves out could not be set without a plus."""
    config, _ = composed("strategy=budgeted_cot")
    built = cell("strategy=budgeted_cot")

    assert set(config.strategy) - {"_target_"} == set(type(built.strategy).__dataclass_fields__)  # type: ignore[attr-defined]


def test_a_part_of_a_cell_is_what_the_protocols_say(conf: None) -> None:
    built = cell()
    engine: EngineSettings = built.engine
    task: Task = built.task
    strategy: Strategy = built.strategy
    load: Load = built.load

    assert [type(part).__name__ for part in (engine, task, strategy, load)] == [
        "VllmEngine",
        "PocketTask",
        "Cot",
        "Concurrent",
    ]


def test_speculation_goes_into_the_engine(conf: None) -> None:
    built = cell("+speculation.method=ngram", "+speculation.num_speculative_tokens=3")

    assert built.engine.speculative_config == {"method": "ngram", "num_speculative_tokens": 3}  # type: ignore[attr-defined]


def test_a_further_engine_argument_is_passed_on(conf: None) -> None:
    assert cell("+engine.swap_space=2").engine.further == {"swap_space": 2}  # type: ignore[attr-defined]


def test_a_strategy_needs_no_file(conf: None) -> None:
    built = cell("~strategy", "+strategy._target_=strategies.cot.Cot", "+strategy.max_tokens=9")

    assert built.strategy.max_tokens == 9  # type: ignore[attr-defined]
    assert built.labels["strategy"] == "Cot"


def test_a_priority_makes_the_engine_serve_by_it(conf: None) -> None:
    assert cell().engine.scheduling_policy is None  # type: ignore[attr-defined]
    assert cell("scheduling.priority=level").engine.scheduling_policy == "priority"  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"needs engine\.scheduling_policy=priority or null, not fcfs"):
        cell("scheduling.priority=level", "engine.scheduling_policy=fcfs")


def test_the_pocket_model_brings_its_own_draft(conf: None) -> None:
    given = cell("speculation=draft").engine.speculative_config  # type: ignore[attr-defined]

    assert (given["method"], given["model"]) == ("draft_model", "pocket/draft")
