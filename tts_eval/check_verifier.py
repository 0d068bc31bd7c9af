"""`python -m tts_eval.check_verifier`: is a reward model read where it should be, and as it should.

Hydra composes `conf/check_verifier.yaml`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

import hydra
from hydra.errors import HydraException
from hydra.utils import instantiate
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from tts_eval.command.checkout import check_shelves
from tts_eval.command.complaint import complaint
from tts_eval.command.compose import part_of
from tts_eval.command.examination import Examined, Example, examine, largest_difference, mistakes
from tts_eval.engines.protocol import EngineSettings
from tts_eval.engines.transformers_reader import TransformersReader
from tts_eval.llm.call import Served
from tts_eval.llm.tokenizer import Codec
from tts_eval.model import Model
from tts_eval.options import CONF
from tts_eval.protocols import Verifier

TOLERANCES = {"float32": 1e-3}
TOLERANCE_16_BITS = 0.2


def main() -> int:
    """Check what the command line asks for; 0 if everything agrees, else 1."""
    declared: list[DictConfig] = []
    found: list[str] = []
    try:
        check_shelves()
        hydra.main(version_base="1.3", config_path=str(CONF), config_name="check_verifier")(declared.append)()
        for config in declared:
            found += check_verifier(config)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        found.append(complaint(error))
    for mistake in found:
        print(f"tts_eval.check_verifier: {mistake}", file=sys.stderr)
    return 1 if found else 0


def check_verifier(config: DictConfig) -> list[str]:
    """Print what the verifier reads and says, and return what is wrong with it."""
    quieten_transformers()
    verifier: Verifier | None = part_of(config, "verifier")
    role = config.roles.get(verifier.role) if verifier and verifier.role else None
    if verifier is None or role is None or not role.get("model") or not role.get("engine"):
        raise ValueError("this verifier has no reward model of its own to check")
    model, engine = part_of(role, "model"), part_of(role, "engine")
    engine.check(model)
    codec = Codec(model)
    verifier.check_role(model, codec)
    example = _writable(instantiate(config.examples, _convert_="all"), codec, model)
    return asyncio.run(_check(verifier, model, codec, engine, example, config.tolerance))


def quieten_transformers() -> None:
    """Keep its reports of heads that are loaded elsewhere, and its progress bars, off the screen."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


async def _check(
    verifier: Verifier,
    model: Model,
    codec: Codec,
    engine: EngineSettings,
    example: Example,
    tolerance: float | None,
) -> list[str]:
    print(f"{model.name} ({model.location}), {type(verifier).__module__}.{type(verifier).__name__}")
    async with engine.start(model) as running:
        served = Served(model, codec, running)
        roles = {"policy": served, str(verifier.role): served}
        right, wrong = [
            await examine(verifier, roles, example.question, steps)
            for steps in (example.right, example.wrong)
        ]
        engine_name, dtype = running.facts.name, str(running.facts.settings.get("dtype", model.dtype))
    found = mistakes(example, right, wrong)
    _print_layout(model, right)
    _print_scores(example, right, wrong)
    reference = TransformersReader(
        dtype=dtype if dtype != "auto" else None, label_tokens=tuple(engine.label_tokens)
    )
    async with reference.start(model) as reading:
        difference = await largest_difference([*right.readings, *wrong.readings], reading)
    allowed = TOLERANCES.get(dtype, TOLERANCE_16_BITS) if tolerance is None else tolerance
    print(f"largest difference of a logit, {engine_name} from transformers: {difference:.2g} of {allowed:g}")
    if not difference <= allowed:
        found.append(
            f"logits differ by {difference:.3g} from the transformers reference; allowed: {allowed:g}"
        )
    return found


def _writable(examples: Sequence[Example], codec: Codec, model: Model) -> Example:
    """Return the first example that the tokenizer writes without loss."""
    for example in examples:
        texts = [example.question, *example.right, *example.wrong]
        if all(codec.decode(codec.encode(text)).strip() == text.strip() for text in texts):
            return example
    raise ValueError(f"the tokenizer of {model.name} can write none of the {len(examples)} examples")


def _print_layout(model: Model, examined: Examined) -> None:
    from transformers import AutoTokenizer

    tokenizer = model.load(AutoTokenizer, "tokenizer")
    for reading in examined.readings:
        print(f"\nprompt layout of the right solution, {len(reading.token_ids)} tokens:")
        print(repr(tokenizer.decode(list(reading.token_ids))))
        print("\nread at:")
        for end, row in zip(reading.ends, reading.rows, strict=True):
            token_id = reading.token_ids[end]
            logits = ", ".join(f"{logit:.4f}" for logit in row)
            text = tokenizer.decode([token_id])
            print(f"  position {end:4}  token {token_id:6} {text!r:14} logits {logits}")


def _print_scores(example: Example, right: Examined, wrong: Examined) -> None:
    print("\nscores, right and wrong:")
    for number, scores in enumerate(zip(right.scores, wrong.scores, strict=False)):
        mark = "  <- goes wrong here" if number == example.first_wrong or len(right.scores) == 1 else ""
        print(f"  {number + 1}  {scores[0]:.4f}  {scores[1]:.4f}{mark}")
    print()


if __name__ == "__main__":
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let Hydra's exceptions through, to be printed in one line
    sys.exit(main())
