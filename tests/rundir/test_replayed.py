"""What a replay leaves out of its files is declared by the records, not guessed from names."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

import orjson
import pytest

from tests.summary.outcomes import call, outcome
from tts_eval.grading.grade import Verdict
from tts_eval.records import Attempt, Candidate, Finish, Interim, Seconds
from tts_eval.rundir.outcome import Outcome
from tts_eval.rundir.replayed import untimed
from tts_eval.spend import Call, CriticalPath, Spend

CALL = call("a", "policy", 1.0, 2.0, prompt=9, generated=4, num_accepted_tokens=2)


def solved() -> Outcome:
    """A problem with an answer that is called like a time."""
    made = outcome("a", [CALL], is_correct=True)
    return Outcome(
        problem_id="a",
        level=1,
        gold="v_s",
        session=0,
        attempt=Attempt("v_s", (Candidate("v_s", "v_s", 4, Finish.END),)),
        grade=made.grade,
        spend=made.spend,
        interims=(Interim("v_s", 0.5),),
        verdicts={"v_s": Verdict.EQUAL},
    )


@pytest.mark.parametrize("kind", [Call, Spend, CriticalPath, Interim])
def test_every_time_of_a_record_is_declared_as_one(kind: Any) -> None:
    assert is_dataclass(kind)
    hints = get_type_hints(kind, include_extras=True)
    times = [field.name for field in fields(kind) if field.name.endswith("_s")]

    assert times
    assert all(hints[name] in (Seconds, Seconds | None) for name in times)


def test_times_and_unknown_counts_are_left_out_of_a_call() -> None:
    found = untimed(CALL, unknown_tokens=["cached"])

    assert (
        found["submitted_s"] is found["finished_s"] is found["queue_s"] is found["num_cached_tokens"] is None
    )
    assert (found["num_prompt_tokens"], found["num_generated_tokens"]) == (9, 4)
    assert (found["num_accepted_tokens"], found["finish"]) == (2, "end")


def test_an_answer_keeps_its_verdict_whatever_it_is_called() -> None:
    found = untimed(solved(), unknown_tokens=["generated"])

    assert found["verdicts"] == {"v_s": "equal"}
    assert found["interims"] == [{"answer": "v_s", "at_s": None}]
    assert found["attempt"]["candidates"][0]["num_tokens"] is None
    assert found["spend"]["critical_path"]["decode_s"] is found["spend"]["num_generated_tokens"] is None
    assert found["spend"]["by_role"]["policy"]["num_prompt_tokens"] == 9


def test_what_is_left_out_is_read_back_as_nothing() -> None:
    line = orjson.loads(orjson.dumps(untimed(solved(), unknown_tokens=["generated"])))
    read = Outcome.from_json(line)

    assert (read.spend.tta_s, read.spend.num_generated_tokens) == (0, 0)
    assert read.spend.ttft_s is None
    assert read.verdicts == {"v_s": Verdict.EQUAL}
