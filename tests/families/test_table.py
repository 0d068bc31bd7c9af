"""The table of docs/models.md says of every family what is found, configured and refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import OmegaConf

from tests.families.families import FAMILIES, Family, codec_of, configured
from tts_eval.llm.markings import FINISHED_THINKING
from tts_eval.llm.tokenizer import Codec
from tts_eval.model import AUTO
from tts_eval.protocols import Setup

ROOT = Path(__file__).parents[2]
HEAD = "| family | markers | after the prompt it is | thinking switched off by | rejected |"
STRATEGIES = {
    "budgeted_cot": {},
    "budgeted_cot, enforced_by: engine": {"enforced_by": "engine"},
    "direct, way: template": {"way": "template"},
    "doubling": {},
    "early_exit": {},
}


def refuses(codec: Codec, option: str) -> bool:
    """Whether a strategy, or its cap by the engine, is rejected for a model, with room for anything."""
    name = option.partition(",")[0]
    settings = OmegaConf.load(ROOT / "conf" / "strategy" / f"{name}.yaml")
    try:
        strategy = instantiate(OmegaConf.merge(settings, STRATEGIES[option]), _convert_="all")
        strategy.check(Setup(codec.model, 100_000))
        if "engine" in option:
            codec.check_cap()
    except ValueError:
        return True
    return False


def contradicts(family: Family, folder: Path, **settings: object) -> bool:
    """Whether the family's settings with these are rejected."""
    try:
        Codec(replace(configured(family, folder), **settings)).check(())  # type: ignore[arg-type]
    except ValueError:
        return True
    return False


def row(family: Family, folder: Path) -> str:
    """Return what the table says of `family`."""
    codec = codec_of(family, folder)
    model, tail = codec.model, codec._chat.tails[False]
    found = Codec(replace(configured(family, folder), thinking_start=AUTO, thinking_end=AUTO)).model
    markers = "none found"
    if model.thinking_start is not None:
        way = "found" if found.thinking_start == model.thinking_start else "configured"
        markers = f"{way}: `{model.thinking_start}`, `{model.thinking_end}`".replace("|", "\\|")
    switch = ""
    if model.no_thinking_kwargs:
        switch = ", ".join(f"`{name}: {str(on).lower()}`" for name, on in model.no_thinking_kwargs.items())
    elif model.thinking_start is not None:
        switch = "NoThinking's sentence" if FINISHED_THINKING in tail else "the end marker"
    wrong: dict[str, dict[str, object]] = {
        "starts_thinking: true": {"starts_thinking": True},
        "starts_thinking: false": {"starts_thinking": False},
        "thinking_start: null": {"thinking_start": None, "thinking_end": None},
    }
    refused = [f"`{name}`" for name, settings in wrong.items() if contradicts(family, folder, **settings)]
    refused += [f"`{option}`" for option in STRATEGIES if refuses(codec, option)]
    opening = codec.thinking.opening(codec.prompt("What is 6 x 7?")).value if model.thinking_end else "answer"
    return f"| {family.name} | {markers} | {opening} | {switch} | {', '.join(refused)} |"


def test_the_table_of_families_is_what_the_code_does(tmp_path: Path) -> None:
    rows = [row(family, tmp_path / family.name) for family in FAMILIES]
    expected = "\n".join([HEAD, "|---|---|---|---|---|", *rows, ""])
    assert expected in (ROOT / "docs" / "models.md").read_text(), f"the table should be:\n{expected}"
