"""What a replay leaves out of its files: every time, and the token counts that were not recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from tts_eval.rundir.manifest import Manifest

REPLAYABLE = (
    "schema_version",
    "provenance",
    "is_synthetic",
    "name",
    "model",
    "task",
    "strategy",
    "verifier",
    "engine",
    "num_problems",
    "num_correct",
    "num_undecided",
    "num_failed",
    "num_unanswered",
    "num_candidates",
    "num_truncated",
    "num_unfinished_thinking",
    "accuracy",
    "accuracy_ci95",
    "num_reused",
    "accuracy_not_reused",
    "accuracy_not_reused_ci95",
    "max_spend",
    "flops_per_problem",
    "flops_per_problem_by_role",
    "flops_per_problem_extra",
    "flops_per_problem_weights_only",
)
NEVER_KNOWN = frozenset({"num_unread_steps"})  # counted by problem, not by sample


def untimed(document: Any, *, unknown_tokens: Collection[str]) -> Any:
    """Return a copy of `document`, plain values, with null for seconds and for unknown counts.

    `unknown_tokens` are kinds: prompt, cached, generated, thinking, verifier, draft.
    """
    if isinstance(document, list):
        return [untimed(item, unknown_tokens=unknown_tokens) for item in document]
    if not isinstance(document, dict):
        return document
    unknown = NEVER_KNOWN | {f"num_{kind}_tokens" for kind in unknown_tokens}
    if "generated" in unknown_tokens:
        unknown |= {"num_tokens"}
    return {
        key: None
        if key in unknown or (key.endswith("_s") and not isinstance(value, dict))
        else untimed(value, unknown_tokens=unknown_tokens)
        for key, value in document.items()
    }


def refilled(kind: type[Any], line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `kind` with 0 for the null of one that every measured run has.

    Nobody sees the 0: `replayable` leaves out what is made of it.
    """
    always_there = {field.name for field in fields(kind) if "None" not in str(field.type)}
    return {key: 0 if value is None and key in always_there else value for key, value in line.items()}


def replayable(figures: Mapping[str, Any], manifest: Manifest) -> dict[str, Any]:
    """Return a run's figures with null for what a replay has not: times, dollars, the engine's counters.

    Where a role's calls were not recorded, neither its tokens and FLOPs are known nor any total.
    """
    unknown = set(manifest.sessions[-1].engine.settings["unknown_tokens"])
    tokens = _known(figures["tokens"], unknown)
    kept = {key: value if key in REPLAYABLE else None for key, value in figures.items()}
    if unknown & {"verifier", "draft"}:
        flops = {
            role: None if role in unknown or role == "total" else count
            for role, count in figures["flops_per_problem"].items()
        }
        extra = dict.fromkeys(figures["flops_per_problem_extra"])
        kept |= {"flops_per_problem": flops, "flops_per_problem_extra": extra}
        kept |= {"flops_per_problem_weights_only": None, "flops_per_problem_by_role": None}
    return {**kept, "tokens": tokens}


def _known(tokens: Mapping[str, Any], unknown: Collection[str]) -> dict[str, Any]:
    """Return counts by kind with null for unknown kinds, those of single roles too."""
    return {
        kind: None if kind in unknown else _known(count, unknown) if isinstance(count, Mapping) else count
        for kind, count in tokens.items()
    }
