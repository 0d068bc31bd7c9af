"""The transformers path reads every format like a forward pass written down again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.verifiers.checkpoints import KINDS
from tests.verifiers.test_formats import PROBLEM, TRACES
from tts_eval.engines.transformers_reader import TransformersReader
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.scripted import mathematics
from tts_eval.llm.tokenizer import Codec
from tts_eval.measuring.meter import Meter


@pytest.mark.parametrize("kind", KINDS)
async def test_scores_are_those_of_a_plain_forward_pass(kind: str, tmp_path: Path) -> None:
    checkpoint = KINDS[kind](tmp_path)
    labels = checkpoint.engine.get("label_tokens", ())
    async with TransformersReader(device="cpu", label_tokens=labels).start(checkpoint.model) as reader:
        served = Served(checkpoint.model, Codec(checkpoint.model), reader)
        roles = {"policy": served, "verifier": served}
        llm = MeteredModel(roles, Meter("p", time.monotonic), mathematics(), run_seed=0)
        for verifier, reference in checkpoint.references:
            for steps in list(TRACES.values())[:4]:
                scores = await verifier.score_steps(PROBLEM, steps, llm, num_known=0)
                assert scores == pytest.approx(reference(PROBLEM.question, steps), abs=1e-4)
        for whole, whole_reference in checkpoint.traces:
            score = await whole.score_trace(PROBLEM, llm.start(PROBLEM) + "It is 42.", llm)
            assert score == pytest.approx(whole_reference(PROBLEM.question, "It is 42."), abs=1e-4)
