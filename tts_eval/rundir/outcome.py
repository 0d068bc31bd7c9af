"""What became of one problem: a line of problems.jsonl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tts_eval.grading.grade import Grade, Verdict
from tts_eval.measuring.budget import Cut
from tts_eval.records import Attempt, Candidate, Finish, Interim, TreeNode
from tts_eval.rundir.replayed import refilled
from tts_eval.spend import CriticalPath, RoleTokens, Spend


@dataclass(frozen=True, slots=True)
class Fill:
    """An unmeasured problem of a steady load (see `running.filling`): when it was in flight.

    With `is_stopped` it was cancelled, as the last measured problem had been answered.
    """

    problem_id: str
    session: int
    arrived_s: float
    finished_s: float
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished problem; `error` tells why there is no attempt where the strategy failed.

    `cut` tells which limit of the budget ended the attempt: its answer is then the best interim one.
    `session` counts the starts of the run: times of different sessions lie on different clocks. `verdicts`
    holds one for every distinct answer among candidates and interims, whatever was answered in the end;
    `classes` tells, for each candidate, which of them state equivalent answers (None: no answer that counts).
    `num_unparsed` counts the candidates' answers that only the same text equals.
    """

    problem_id: str
    level: int | None
    gold: str | None
    session: int
    attempt: Attempt | None
    grade: Grade
    spend: Spend
    interims: tuple[Interim, ...] = ()
    error: str | None = None
    cut: Cut | None = None
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    classes: tuple[int | None, ...] = ()
    num_unparsed: int = 0

    @property
    def is_correct(self) -> bool:
        """Whether the answer was found equal to the gold one."""
        return self.grade.verdict is Verdict.EQUAL

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Self:
        """Read one line of problems.jsonl back."""
        attempt, grade = line["attempt"], line["grade"]
        candidates = () if attempt is None else tuple(map(_candidate, attempt["candidates"]))
        tree = () if attempt is None else tuple(TreeNode(**node) for node in attempt.get("tree", ()))
        return cls(
            problem_id=line["problem_id"],
            level=line["level"],
            gold=line["gold"],
            session=line["session"],
            attempt=None
            if attempt is None
            else Attempt(attempt["answer"], candidates, tree, attempt.get("reused_from")),
            grade=Grade(Verdict(grade["verdict"]), grade["reason"]),
            spend=_spend(line["spend"]),
            interims=tuple(Interim(**interim) for interim in line["interims"]),
            error=line["error"],
            cut=None if line.get("cut") is None else Cut(line["cut"]),
            verdicts={answer: Verdict(verdict) for answer, verdict in line["verdicts"].items()},
            classes=tuple(line["classes"]),
            num_unparsed=line.get("num_unparsed", 0),
        )


def _spend(line: Mapping[str, Any]) -> Spend:
    path = CriticalPath(**refilled(CriticalPath, line["critical_path"]))
    by_role = {role: RoleTokens(**refilled(RoleTokens, own)) for role, own in line["by_role"].items()}
    return Spend(**(refilled(Spend, line) | {"critical_path": path, "by_role": by_role}))


def _candidate(line: Mapping[str, Any]) -> Candidate:
    finish, step_scores = line["finish"], line.get("step_scores")
    return Candidate(
        **{
            **line,
            "finish": None if finish is None else Finish(finish),
            "step_scores": None if step_scores is None else tuple(step_scores),
        }
    )
