"""The fingerprint of a set of problems changes exactly when what was asked changes."""

from __future__ import annotations

from dataclasses import replace

from tts_eval.records import Problem
from tts_eval.rundir.fingerprint import fingerprint

FIRST, SECOND = Problem("1", "1+1", "2", level=1), Problem("2", "1+2", "3", level=1)


def test_equal_problems_have_equal_fingerprints() -> None:
    assert fingerprint([FIRST, SECOND]) == fingerprint(iter([replace(FIRST, metadata={"x": 1}), SECOND]))


def test_the_order_of_the_problems_does_not_show() -> None:
    assert fingerprint([FIRST, SECOND]) == fingerprint([SECOND, FIRST])


def test_content_and_number_of_problems_show() -> None:
    others = [
        [FIRST],
        [],
        [replace(FIRST, gold="3"), SECOND],
        [replace(FIRST, question="1 + 1"), SECOND],
        [replace(FIRST, level=None), SECOND],
        [replace(FIRST, id="0"), SECOND],
    ]
    prints = {fingerprint(problems) for problems in [[FIRST, SECOND], *others]}

    assert len(prints) == 7
    assert all(value.startswith("sha256:") and len(value) == 71 for value in prints)
