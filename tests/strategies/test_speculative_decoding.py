"""Speculative decoding is chain of thought that insists on an engine which speculates."""

import pytest

from strategies.speculative_decoding import SpeculativeDecoding
from tts_eval.llm.scripted import MODEL, solve
from tts_eval.protocols import Setup


async def test_it_answers_as_chain_of_thought_does() -> None:
    attempt, _, _ = await solve(SpeculativeDecoding(), {"": [" six sevens </think> so \\boxed{42}"]})
    assert attempt.answer == "42"


def test_an_engine_that_does_not_speculate_is_refused() -> None:
    SpeculativeDecoding().check(Setup(MODEL, 900, is_speculative=True))
    with pytest.raises(ValueError, match="needs an engine that speculates: speculation=ngram, draft"):
        SpeculativeDecoding().check(Setup(MODEL, 900))
