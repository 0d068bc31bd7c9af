"""What grading says about one answer: a verdict, and why where there is something to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Equal to the gold answer, not equal, or not decided: undecided is never counted as correct."""

    EQUAL = "equal"
    UNEQUAL = "unequal"
    UNDECIDED = "undecided"


class Reason(StrEnum):
    """Why a verdict is undecided, or unequal without a comparison."""

    NO_ANSWER = "no answer"
    NO_GOLD = "there is no gold answer"
    TOO_LONG = "too long"
    TOO_NESTED = "too nested"
    GOLD_UNPARSED = "the gold answer does not parse"
    ANSWER_UNPARSED = "the answer does not parse"
    COMPARISON_FAILED = "the comparison failed"
    TWO_READINGS = "it can be read in two ways, or says more or less than the gold answer"
    TIME_OUT = "time-out"
    OUT_OF_MEMORY = "out of memory"
    RECORDED = "the verdict was recorded"
    SYNTHETIC = "synthetic acceptance: the text means nothing"
    CRASH = "the grading worker crashed"


@dataclass(frozen=True, slots=True)
class Grade:
    """The verdict on one answer."""

    verdict: Verdict
    reason: str | None = None
