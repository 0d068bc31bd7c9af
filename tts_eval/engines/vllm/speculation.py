"""Speculative decoding as configured: what vLLM's `speculative_config` may say for a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from tts_eval import checks
from tts_eval.engines.protocol import Drafter, Drafting
from tts_eval.model import Model

METHODS = ("ngram", "draft_model", "eagle3", "mtp", "suffix")
WITH_MODEL = {"draft_model": "draft", "eagle3": "EAGLE-3 head"}  # methods that load a second checkpoint
NUM_MTP_LAYERS = ("num_nextn_predict_layers", "mtp_num_hidden_layers", "n_predict")
Settings = Mapping[str, Any]


def arguments(speculation: Settings, model: Model) -> dict[str, object]:
    """Return vLLM's `speculative_config`: with a path as vLLM finds it, without what is null."""
    given = {name: value for name, value in speculation.items() if value is not None}
    if "model" in given:
        given["model"] = _drafter(speculation, model).location
    return given


def drafting_of(speculation: Settings, model: Model) -> Drafting:
    """Return what drafts for `model`."""
    num_tokens = int(speculation["num_speculative_tokens"])
    match speculation["method"]:
        case "ngram" | "suffix":
            return Drafting(Drafter.LOOKUP, num_tokens)
        case "draft_model":
            return Drafting(Drafter.MODEL, num_tokens, _drafter(speculation, model))
        case _:
            return Drafting(Drafter.LAYERS, num_tokens)


def check(speculation: Settings, model: Model, *, model_len: int, tensor_parallel_size: int) -> None:
    """Reject with a ValueError what cannot speculate for `model`, before anything is loaded."""
    method = speculation.get("method")
    checks.one_of("speculation.method", method, METHODS)
    checks.whole_number(
        "speculation.num_speculative_tokens",
        speculation.get("num_speculative_tokens"),
        minimum=1,
        maximum=model_len - 1,
    )
    _check_acceptance(speculation)
    match method:
        case "ngram":
            _check_ngram(speculation)
        case "suffix":
            if find_spec("arctic_inference") is None:
                raise ValueError(
                    "speculation=suffix needs the package arctic-inference; pip install arctic-inference"
                )
        case "mtp":
            configuration = model.architecture().get_text_config()
            if not any(getattr(configuration, name, None) for name in NUM_MTP_LAYERS):
                raise ValueError(
                    f"speculation=mtp: model {model.name!r} has no layers that predict several tokens "
                    f"(none of {', '.join(NUM_MTP_LAYERS)} in its configuration)"
                )
        case _:
            _check_drafter(speculation, model, model_len=model_len, tensor_parallel_size=tensor_parallel_size)


def _check_acceptance(speculation: Settings) -> None:
    """Synthetic acceptance takes a mean length, or a rate for each position."""
    method = speculation.get("rejection_sample_method") or "standard"
    checks.one_of("speculation.rejection_sample_method", method, ("standard", "synthetic", "block"))
    length = speculation.get("synthetic_acceptance_length")
    rates = speculation.get("synthetic_acceptance_rates")
    num_given = (length is not None) + (rates is not None)
    if num_given != (method == "synthetic"):
        raise ValueError(
            "speculation.rejection_sample_method=synthetic goes with one of synthetic_acceptance_length and "
            f"synthetic_acceptance_rates, and these with nothing else; given: {method}, {length}, {rates}"
        )
    if length is not None:
        checks.number(
            "speculation.synthetic_acceptance_length",
            length,
            minimum=1,
            maximum=speculation["num_speculative_tokens"] + 1,
        )


def _check_ngram(speculation: Settings) -> None:
    longest, shortest = speculation.get("prompt_lookup_max"), speculation.get("prompt_lookup_min")
    checks.whole_number("speculation.prompt_lookup_max", longest, minimum=1)
    if shortest is not None:
        checks.whole_number("speculation.prompt_lookup_min", shortest, minimum=1, maximum=longest)


def _drafter(speculation: Settings, model: Model) -> Model:
    """Return the second checkpoint as a model, so that it is found as any model is."""
    return replace(model, path=str(speculation["model"]), revision=speculation.get("revision"))


def _check_drafter(speculation: Settings, model: Model, *, model_len: int, tensor_parallel_size: int) -> None:
    method, path = speculation["method"], speculation.get("model")
    what = WITH_MODEL[method]
    if path is None:
        raise ValueError(
            f"no {what} is known for model {model.name!r}; give speculation.model=FOLDER (or a hub id)"
        )
    try:
        configuration = _drafter(speculation, model).architecture().get_text_config()
    except ValueError:
        raise ValueError(
            f"speculation.model={path!r} is neither a folder with a checkpoint nor a hub id that can be "
            "reached"
        ) from None
    target = model.architecture().get_text_config()
    if configuration.vocab_size != target.vocab_size and not speculation.get("use_heterogeneous_vocab"):
        raise ValueError(
            f"the {what} {path!r} has a vocabulary of {configuration.vocab_size} tokens, "
            f"model {model.name!r} one of {target.vocab_size}; they must be the same"
        )
    if method == "eagle3":
        _check_eagle3(path, configuration, model, target)
        return
    reach = configuration.max_position_embeddings
    if reach < model_len:
        raise ValueError(
            f"the draft {path!r} reaches {reach} tokens, "
            f"the engine {model_len}; allowed: engine.max_model_len up to {reach}"
        )
    if configuration.num_attention_heads % tensor_parallel_size:
        raise ValueError(
            f"engine.tensor_parallel_size={tensor_parallel_size} does not divide the draft's "
            f"{configuration.num_attention_heads} attention heads"
        )


def _check_eagle3(path: Any, head: Any, model: Model, target: Any) -> None:
    """An EAGLE-3 head reads hidden states of the model it was trained on: of that size and no other."""
    names = ", ".join(head.architectures or ())
    if "eagle3" not in names.lower():
        raise ValueError(
            f"speculation.model={path!r} is no EAGLE-3 head; its architecture is {names or 'unknown'}"
        )
    size = getattr(head, "target_hidden_size", None) or head.hidden_size
    if size != target.hidden_size:
        raise ValueError(
            f"the EAGLE-3 head {path!r} reads hidden states of size {size}, "
            f"those of model {model.name!r} have {target.hidden_size}"
        )
