"""A wrong command line costs a second: one line with what was given and what is allowed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tts_eval.command.launch import launch

Refused = Callable[..., str]

SETTINGS = {
    "an unknown option": (
        ["strategy=majority_vot"],
        "'strategy/majority_vot' does not exist; allowed: ",
        "did you mean 'majority_vote'?",
    ),
    "an unknown group": (["strateg=cot"], "strateg", "allowed: "),
    "an unknown setting": (["strategy.m=4"], "strategy has no setting 'm'", "allowed: temperature, "),
    "an unknown setting at the top": (["sed=1"], "there is no setting 'sed'", "did you mean 'seed'?"),
    "a word without a value": (["strategy"], "cannot read 'strategy' (", "allowed: name=value, "),
    "an unclosed bracket": (
        ["seed=[1"],
        "cannot read 'seed=[1' (",
        "allowed: name=value, ",
    ),
    "a negative n": (
        ["strategy=majority_vote", "strategy.n=-1"],
        "strategy.n must be a whole number from 1, not -1",
        "",
    ),
    "a word for a number": (
        ["strategy=majority_vote", "strategy.n=four"],
        "strategy.n must be a whole number from 1, not 'four'",
        "",
    ),
    "a seed that is no number": (["seed=abc"], "seed must be a whole number from 0, not 'abc'", ""),
    "a negative seed": (["seed=-1"], "seed must be a whole number from 0, not -1", ""),
    "no users": (["load.k=0"], "load.k must be a whole number from 1, not 0", ""),
    "a missing file": (
        ["task=math500", "task.path=nowhere.jsonl"],
        "task.path=nowhere.jsonl is not a file (looked for /",
        "",
    ),
    "a mandatory value left out": (["task=jsonl"], "task.path must be given: task.path=...", ""),
    "a mandatory path of a model left out": (
        ["model=local", "~model.path", "+model.path=???"],
        "model.path must be given: model.path=...",
        "",
    ),
    "a verifier without its model": (
        ["verifier=pocket_prm", "~roles.verifier"],
        "verifier pocket_prm needs a model for role 'verifier'; there are: policy; give +model@roles",
        "",
    ),
    "a separator that is no token": (
        ["verifier=pocket_prm", "verifier.separator=' * ='"],
        "verifier.separator=' * =' must be one token of pocket_prm; it is 2 tokens",
        "",
    ),
    "more log-probabilities than the engine gives": (
        ["verifier=deepconf", "verifier.num_logprobs=30"],
        "verifier.num_logprobs=30 is more than the engine gives, 20; give +engine.max_logprobs=30",
        "",
    ),
    "a role that is there already": (
        ["+roles.policy.shares_gpus=true"],
        "roles.policy is the model itself",
        "",
    ),
    "a setting that a role has not": (
        ["+roles.draft.gpus=2"],
        "roles.draft has no setting 'gpus'; allowed: model, engine, shares_gpus",
        "",
    ),
    "a wrong engine setting of a role": (
        ["verifier=pocket_prm", "roles.verifier.engine.tensor_parallel_size=4"],
        "tensor_parallel_size=4 does not divide",
        "",
    ),
    "no such level": (["task.levels=[1,9]"], "task.levels must be some of 1, 2, 3, 4, 5", "not [1, 9]"),
    "no such split": (["task.split=exam"], "split must be one of ", "'exam'"),
    "a checkpoint that is not there": (
        ["model.path=no/such/model"],
        "'no/such/model' is neither a folder with a checkpoint nor a hub id that can be reached",
        "give model.path=FOLDER",
    ),
    "an answer longer than the model": (
        ["strategy.max_tokens=4000"],
        "strategy.max_tokens is 4000 tokens; the model's length leaves ",
        "",
    ),
    "a thought longer than the model": (
        ["strategy=budgeted_cot", "strategy.max_thinking_tokens=2000"],
        "is 2033 tokens; the model's length leaves ",
        "",
    ),
    "a length that the model has not": (
        ["engine.max_model_len=4096"],
        "max_model_len=4096 is more than the 1024 tokens of model 'pocket'",
        "",
    ),
    "a length shorter than a prompt": (
        ["engine.max_model_len=4"],
        "the longest prompt of task pocket has ",
        "the model's length is 4",
    ),
    "a tensor-parallel size that does not divide the heads": (
        ["engine.tensor_parallel_size=3"],
        "engine.tensor_parallel_size=3 does not divide the model's 4 attention heads; allowed: 1, 2, 4",
        "",
    ),
    "more stages than layers": (
        ["engine.pipeline_parallel_size=5"],
        "engine.pipeline_parallel_size=5 is more than the model's 2 layers; allowed: 1 to 2",
        "",
    ),
    "more workers than the machine has": (
        ["engine.data_parallel_size=1000"],
        "= 1000 workers, but this machine has ",
        "allowed: at most ",
    ),
    "no workers": (
        ["engine.tensor_parallel_size=0"],
        "engine.tensor_parallel_size must be a whole number from 1, not 0",
        "",
    ),
    "experts that there are not": (
        ["engine.enable_expert_parallel=true"],
        "model 'pocket' has no experts; allowed: false",
        "",
    ),
    "a head that nobody knows": (
        ["speculation=eagle3"],
        "no EAGLE-3 head is known for model 'pocket'",
        "give speculation.model=FOLDER (or a hub id)",
    ),
    "more drafted tokens than there is room for": (
        ["speculation=draft", "speculation.num_speculative_tokens=1024"],
        "speculation.num_speculative_tokens must be a whole number from 1 to 1023, not 1024",
        "",
    ),
    "a cache format that there is not": (
        ["engine.kv_cache_dtype=fp3"],
        "engine.kv_cache_dtype must be one of auto, ",
        "not 'fp3'",
    ),
    "an order that there is not": (
        ["scheduling.priority=fair"],
        "scheduling.priority must be one of level, prompt_length, attained, not 'fair'",
        "",
    ),
    "an API price without prices": (
        ["+model.api_price={source: me}"],
        "model.api_price has source; it needs usd_per_million_prompt_tokens, ",
        "",
    ),
    "a number format that there is not": (
        ["engine.dtype=int3"],
        "engine.dtype must be one of auto, float32, ",
        "not 'int3'",
    ),
    "an engine argument without a plus": (
        ["engine.max_num_batched_token=8"],
        "engine has no setting 'max_num_batched_token'",
        "+engine.max_num_batched_token=...",
    ),
    "an unknown engine argument": (
        ["+engine.max_num_batched_token=8"],
        "engine.max_num_batched_token is no engine argument of vLLM ",
        "near it: max_num_batched_tokens",
    ),
    "an unknown way to track": (
        ["tracking=wandb", "tracking.mode=sometimes"],
        "tracking.mode must be one of auto, online, offline, not 'sometimes'",
        "",
    ),
    "a price below nothing": (
        ["hardware.usd_per_gpu_hour=-1"],
        "hardware.usd_per_gpu_hour must be a number from 0 or more, not -1",
        "",
    ),
    "a target that is nowhere": (["strategy._target_=mine.Strategy"], "strategy: ", "mine.Strategy"),
    "a setting that the class does not take": (
        ["+strategy.m=4"],
        "strategy: ",
        "argument 'm'; allowed: temperature, top_p, max_tokens",
    ),
    "a run that is not there": (["resume=nowhere"], "it takes no other argument", ""),
    "a new setting at the top": (["+sed=1"], "must be one of model, task, ", "not 'sed'"),
    "a temperature that vLLM refuses": (
        ["strategy.temperature=2.5"],
        "strategy.temperature must be 0 (greedy) or a number from 0.01 to 2, not 2.5",
        "",
    ),
    "a temperature that vLLM replaces": (
        ["strategy.temperature=0.001"],
        "strategy.temperature must be 0 (greedy) or a number from 0.01 to 2, not 0.001",
        "",
    ),
    "an infinite temperature": (["strategy.temperature=inf"], "must be a finite number, not inf", ""),
    "a deadline that is none": (["budget.deadline_s=nan"], "budget.deadline_s must be a finite number", ""),
    "a seed beyond 63 bits": (
        [f"seed={2**63}"],
        "seed must be a whole number below 2^63, not 9223372036854775808",
        "",
    ),
    "a budget beyond 63 bits": (
        [f"budget.max_tokens={2**64}"],
        "budget.max_tokens must be a whole number below 2^63",
        "",
    ),
    "a path that is too long": (["hydra.run.dir=" + "/".join(["x" * 200] * 25)], "File name too long", ""),
}


ENGINES = {
    "a reader that would draft": (
        ["engine=transformers", "speculation=ngram"],
        "engine=transformers cannot draft tokens: give speculation=none, or engine=vllm",
    ),
    "a reward model that would draft": (
        ["engine=vllm_pooling", "speculation=ngram"],
        "engine=vllm_pooling cannot draft tokens: give speculation=none, or engine=vllm",
    ),
    "a replay that would draft": (
        ["engine=replay", "engine.run=nowhere", "speculation=ngram"],
        "engine=replay cannot draft tokens: give speculation=none, or engine=vllm",
    ),
    "a replay of traces that would draft": (
        [
            "engine=replay_traces",
            "engine.path=nowhere.jsonl",
            "engine.text=text",
            "engine.correct=right",
            "speculation=ngram",
        ],
        "engine=replay_traces cannot draft tokens: give speculation=none, or engine=vllm",
    ),
    "a reader that would serve by priority": (
        ["engine=transformers", "scheduling.priority=level"],
        "engine=transformers cannot serve by priority: give scheduling.priority=null, or engine=vllm",
    ),
    "a policy on a reader": (
        ["engine=transformers"],
        "engine=transformers reads reward models and draws no samples: give engine=vllm",
    ),
    "a policy on a reward model's engine": (
        ["engine=vllm_pooling"],
        "engine=vllm_pooling reads reward models and draws no samples: give engine=vllm",
    ),
    "a draft on a reward model's engine": (
        ["+model@roles.draft.model=pocket_weak", "+engine@roles.draft.engine=vllm_pooling"],
        "engine=vllm_pooling reads reward models and draws no samples: give engine@roles.draft.engine=vllm",
    ),
}


@pytest.mark.parametrize(("arguments", "says"), ENGINES.values(), ids=ENGINES)
def test_what_an_engine_cannot_do_is_one_line(refused: Refused, arguments: list[str], says: str) -> None:
    assert refused(*arguments) == says


@pytest.mark.parametrize(("arguments", "says", "ends"), SETTINGS.values(), ids=SETTINGS)
def test_it_is_refused_in_one_line(refused: Refused, arguments: list[str], says: str, ends: str) -> None:
    line = refused(*arguments)

    assert says in line
    assert ends in line


def test_a_row_without_an_answer_is_named(refused: Refused, here: Path) -> None:
    rows = [{"problem": "1+1?", "answer": "2"}, {"problem": "1+2?", "answer": ""}]
    (here / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    line = refused("task=jsonl", "task.path=rows.jsonl", "task.question=problem")

    assert line == "rows.jsonl, row 2: column 'answer' is empty"


def test_wandb_without_network_is_refused(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    line = refused("tracking=wandb", "tracking.mode=online")

    assert line.startswith("tracking.mode=online, but W&B cannot be used: ")
    assert line.endswith("or give tracking.mode=offline or tracking=none")


WRONG_CELLS = {
    "checked late": "strategy.n=1,2,-4",
    "a word for a number": "strategy.n=1,many",
    "a length that is too long": "engine.max_model_len=512,4096",
    "an option that is not there": "task=pocket,pockett",
    "a setting that is not there": "strategy.n=1 strategy.m=1,2",
    "a mandatory value left out": "task=pocket,jsonl",
    "a syntax that is none": "strategy.n=1,[2",
}


@pytest.mark.parametrize("sweep", WRONG_CELLS.values(), ids=WRONG_CELLS)
def test_one_wrong_cell_keeps_a_whole_sweep_from_running(refused: Refused, sweep: str) -> None:
    refused("-m", "strategy=majority_vote", *sweep.split())


def test_an_earlier_run_in_the_same_folder_is_left_alone(refused: Refused, here: Path) -> None:
    (here / "runs" / "old").mkdir(parents=True)
    (here / "runs" / "old" / "problems.jsonl").write_text("{}\n")

    refused("hydra.run.dir=runs/new", "seed=-1")
    refused("-m", "hydra.sweep.dir=runs", "seed=1,-1")


def test_a_folder_without_a_run_cannot_be_gone_on_with(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launch(["resume=nowhere"]) == 1
    assert capsys.readouterr().err == "tts_eval: resume=nowhere: no run is there (a run has manifest.json)\n"


@pytest.mark.parametrize("given", ["resume=", "resume= "])
def test_a_folder_that_is_not_named_is_not_every_folder(
    here: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    assert launch([given]) == 1
    assert capsys.readouterr().err == (
        "tts_eval: resume= names no folder: give that of a run or of a sweep\n"
    )


@pytest.mark.parametrize("name", ["manifest.json", "problems.jsonl"])
def test_a_damaged_run_is_named_and_left_alone(refused: Refused, here: Path, name: str) -> None:
    (here / "run").mkdir()
    (here / "run" / name).write_text("")
    line = refused("hydra.run.dir=run")
    assert f"{here}/run" in line
    assert name in line
    assert (here / "run" / name).read_text() == ""


def test_what_hydra_left_of_an_earlier_run_is_not_touched(refused: Refused, here: Path) -> None:
    for folder in ("run", "sweep"):
        (here / folder / ".hydra").mkdir(parents=True)
        (here / folder / ".hydra" / "config.yaml").write_text("seed: 1\n")
        (here / folder / "multirun.yaml").write_text("seed: 1\n")
    refused("hydra.run.dir=run", "seed=-1")
    refused("-m", "hydra.sweep.dir=sweep", "seed=1,-1")
    for folder in ("run", "sweep"):
        assert (here / folder / ".hydra" / "config.yaml").read_text() == "seed: 1\n"
        assert (here / folder / "multirun.yaml").read_text() == "seed: 1\n"


def test_a_file_in_the_place_of_a_folder_is_named(refused: Refused, here: Path) -> None:
    (here / "run").write_text("mine")
    assert refused("hydra.run.dir=run/inside").startswith(f"{here}/run")
    assert (here / "run").read_text() == "mine"
