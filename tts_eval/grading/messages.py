"""What passes between the grader and its worker processes: jobs, forms and replies, one JSON line each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from tts_eval.grading.grade import Reason


class Kind(StrEnum):
    """What an answer was parsed to; an open one may be of several kinds."""

    SCALAR = "scalar"
    WORD = "word"
    RELATION = "relation"
    COLLECTION = "collection"
    MATRIX = "matrix"
    TEXT = "text"
    OPEN = "open"


_NEIGHBOURS = [{Kind.SCALAR, Kind.WORD}, {Kind.RELATION, Kind.COLLECTION}]
FINGERPRINT_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Form:
    """An answer as parsed.

    Attributes:
        kind: what it is.
        fingerprint: figures that nearly agree for any two equal answers; None where there are none.
        key: equal for two answers that have one if and only if they are equal; None for an approximation.
    """

    kind: Kind
    fingerprint: tuple[float, ...] | None = None
    key: str | None = None

    def may_equal(self, other: Form) -> bool:
        """Tell whether a comparison is worth its time; False only where the answers cannot be equal."""
        if Kind.OPEN in (self.kind, other.kind):
            return True
        if self.fingerprint is None or other.fingerprint is None:
            return self.kind == other.kind or {self.kind, other.kind} in _NEIGHBOURS
        return all(
            abs(a - b) <= FINGERPRINT_TOLERANCE * (1 + abs(a))
            for a, b in zip(self.fingerprint, other.fingerprint, strict=True)
        )


def rational_key(numerator: int, denominator: int) -> str:
    """Return the key of a fraction in lowest terms."""
    return f"{numerator:x}/{denominator:x}"  # hexadecimal: Python refuses to write out 5000 decimal digits


@dataclass(frozen=True, slots=True)
class Job:
    """Compare an answer with a gold answer, or, without one, only parse it; both are normal forms."""

    answer: str
    gold: str | None = None

    def to_json(self) -> bytes:
        """Write the job as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_json(cls, line: str) -> Job:
        """Read a job from its line."""
        return cls(**json.loads(line))


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a job: whether the answers are equal, or the form of the answer, or why neither."""

    equal: bool | None = None
    form: Form | None = None
    failure: Reason | None = None

    def to_json(self) -> str:
        """Write the reply as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: bytes) -> Reply:
        """Read a reply from its line."""
        fields = json.loads(line)
        form, failure = fields["form"], fields["failure"]
        if form:
            figures = form["fingerprint"]
            form = Form(Kind(form["kind"]), None if figures is None else tuple(figures), form["key"])
        return cls(fields["equal"], form, None if failure is None else Reason(failure))
