"""The command that checks speculation: what it rejects, and what it calls a difference."""

from __future__ import annotations

import pytest

from tts_eval.check_speculation import differences, main
from tts_eval.records import Finish
from tts_eval.requests import Completion


def sample(*token_ids: int) -> Completion:
    return Completion(token_ids, "", Finish.END)


def test_equal_samples_have_no_difference() -> None:
    assert differences([sample(1, 2), sample()], [sample(1, 2), sample()]) == []


def test_it_is_told_where_samples_part() -> None:
    expected = [sample(1, 2, 3), sample(1, 2, 3), sample(1, 2)]
    found = [sample(1, 2, 4), sample(1, 2), sample(1, 2)]

    assert differences(expected, found) == [
        "sample 0 parts after 2 of 3 tokens",
        "sample 1 parts after 2 of 3 tokens",
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "nothing differs from plain decoding; give speculation=ngram, draft, ..."),
        (["speculation=medusa"], "'speculation/medusa' does not exist; allowed: draft, eagle3, mtp, ngram, "),
        (
            ["speculation=eagle3"],
            "no EAGLE-3 head is known for model 'pocket'; give speculation.model=FOLDER",
        ),
        (["speculation=mtp"], "model 'pocket' has no layers that predict several tokens"),
    ],
)
def test_a_mistake_costs_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("tts_eval.check_speculation: ")
    assert says in line
