"""The FLOPs of a run, by what computed them and for whom.

What a single call took is `call_flops`'s business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from tts_eval.rundir.topic import Topic
from tts_eval.spend import Call
from tts_eval.summary.call_flops import FlopsCounter


class FlopsByKind(msgspec.Struct, frozen=True, kw_only=True):
    """FLOPs a problem by the kind of role that took them."""

    policy: float | None
    verifier: float | None
    draft: float | None
    total: float | None


class ExtraFlops(msgspec.Struct, frozen=True, kw_only=True):
    """FLOPs a problem for nothing, or once more."""

    rejected_draft_tokens: float | None = None
    after_end: float | None = None
    recompute: float | None = None
    reread: float | None = None


class Flops(Topic, frozen=True, kw_only=True):
    """FLOPs a problem; a kind of role that made no call took none, one of unknown sizes is None.

    Whatever is neither policy nor verifier counts as a draft, as does what drafts inside an engine. By role
    the latter belongs to the role it drafts for. What was computed for nothing or once more is part of its
    role's figure, and listed apart.
    """

    flops_per_problem: FlopsByKind
    flops_per_problem_by_role: Mapping[str, float | None] | None
    flops_per_problem_extra: ExtraFlops
    flops_per_problem_weights_only: float | None

    def without(self, roles: Collection[str]) -> Flops:
        """Return what is known where the calls of `roles` (verifier, draft) were not recorded."""
        if not set(roles) & {"verifier", "draft"}:
            return self
        per_problem = self.flops_per_problem
        return Flops(
            flops_per_problem=FlopsByKind(
                policy=per_problem.policy,
                verifier=None if "verifier" in roles else per_problem.verifier,
                draft=None if "draft" in roles else per_problem.draft,
                total=None,
            ),
            flops_per_problem_by_role=None,
            flops_per_problem_extra=ExtraFlops(),
            flops_per_problem_weights_only=None,
        )


def flops_figures(calls: Sequence[Call], num_problems: int, counter: FlopsCounter) -> Flops:
    """Return the FLOPs of `calls`, divided by the problems."""
    counted = [(call, counter.count(call)) for call in calls]

    def each(amounts: Iterable[int | None]) -> float | None:
        total = _total(amounts)
        return total / num_problems if total is not None and num_problems else None

    asked = [flops.model for call, flops in counted if call.role not in ("policy", "verifier")]
    inside = [flops.draft for _, flops in counted]
    roles = sorted({call.role for call in calls})
    return Flops(
        flops_per_problem=FlopsByKind(
            policy=each(flops.model for call, flops in counted if call.role == "policy"),
            verifier=each(flops.model for call, flops in counted if call.role == "verifier"),
            draft=each([*asked, *inside]),
            total=each(flops.total for _, flops in counted),
        ),
        flops_per_problem_by_role={
            role: each(flops.total for call, flops in counted if call.role == role) for role in roles
        },
        flops_per_problem_extra=ExtraFlops(
            rejected_draft_tokens=each(flops.rejected for _, flops in counted),
            after_end=each(flops.after_end for _, flops in counted),
            recompute=each(flops.recompute for _, flops in counted),
            reread=each(flops.reread for _, flops in counted),
        ),
        flops_per_problem_weights_only=each(flops.weights_only for _, flops in counted),
    )


def flops_by_problem(calls: Sequence[Call], counter: FlopsCounter) -> Mapping[str, int | None]:
    """Return the FLOPs of each problem that made a call; None where one of its calls has unknown ones."""
    found: dict[str, list[int | None]] = {}
    for call in calls:
        found.setdefault(call.problem_id, []).append(counter.count(call).total)
    return {problem_id: _total(amounts) for problem_id, amounts in found.items()}


def _total(amounts: Iterable[int | None]) -> int | None:
    """Return the sum; None if one is unknown."""
    known = list(amounts)
    return None if None in known else sum(amount for amount in known if amount is not None)
