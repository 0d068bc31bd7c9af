"""A trace is divided into steps by one rule, and no character is lost."""

from __future__ import annotations

import pytest

from tts_eval.llm.scripted import WordCodec
from tts_eval.records import Markers, Trace
from tts_eval.toolkit.steps import split_steps


def steps(text: str, *, min_step_tokens: int = 1) -> tuple[str, ...]:
    trace = Trace((), WordCodec(), text=text)
    return split_steps(trace, Markers(min_step_tokens=min_step_tokens))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("one\n\ntwo\n\n", ("one\n\n", "two\n\n")),
        ("one\n\nand half of tw", ("one\n\n", "and half of tw")),
        ("one\nline\n\ntwo", ("one\nline\n\n", "two")),
        ("\n\none\n\n", ("\n\none\n\n",)),
        ("one\n\n\n\n \n\ntwo", ("one\n\n\n\n \n\n", "two")),
        ("one\n\n  ", ("one\n\n  ",)),
        ("\n\n", ("\n\n",)),
    ],
)
def test_a_step_ends_with_a_blank_line(text: str, expected: tuple[str, ...]) -> None:
    assert steps(text) == expected


def test_short_steps_are_joined_until_they_are_long_enough() -> None:
    text = "so\n\n2 + 3\n\nis\n\nfive indeed"

    found = steps(text, min_step_tokens=3)

    assert found == ("so\n\n2 + 3\n\n", "is\n\nfive indeed")
    assert "".join(found) == text
