"""The FLOPs of a single call: those of its role's model, and of what drafted for it inside the engine.

The figures of a run and the shares of its problems are sums of these, so that they add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from tts_eval.engines.protocol import Drafter, RecordedDrafting
from tts_eval.measuring.architecture import Architecture
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.records import Finish
from tts_eval.rundir.manifest import Config, Manifest
from tts_eval.spend import Call
from tts_eval.summary.flops_formulas import (
    call_flops,
    draft_flops,
    num_draft_positions,
    recompute_flops,
    rejected_draft_flops,
    reread_flops,
    weights_only_flops,
)


@dataclass(frozen=True, slots=True)
class DraftsInside:
    """What drafts inside the engine of a role; `architecture` None: it takes no FLOPs or unknown ones."""

    drafter: Drafter
    num_speculative_tokens: int
    architecture: Architecture | None

    @classmethod
    def read(cls, drafting: RecordedDrafting) -> Self:
        """Read an entry of the manifest."""
        config = drafting.architecture
        return cls(
            drafting.drafter,
            drafting.num_speculative_tokens,
            None if config is None else read_architecture(config),
        )


@dataclass(frozen=True, slots=True)
class CallFlops:
    """FLOPs of one call, None where unknown.

    `model` is all that the role's model computed, `draft` all that drafted for it inside the engine. The
    others are parts of `model`, done for nothing or once more (see docs/reference.md).
    """

    model: int | None
    draft: int | None
    rejected: int | None
    after_end: int | None
    recompute: int | None
    reread: int | None
    weights_only: int | None

    @property
    def total(self) -> int | None:
        """All FLOPs of the call."""
        return None if self.model is None or self.draft is None else self.model + self.draft


UNKNOWN = CallFlops(None, None, None, None, None, None, None)


@dataclass(frozen=True)
class FlopsCounter:
    """Counts calls by the models of their roles; None: sizes that FLOPs cannot be counted from."""

    architectures: Mapping[str, Architecture | None]
    drafts_inside: Mapping[str, DraftsInside]

    @classmethod
    def read(
        cls, configs: Mapping[str, Config | None], drafting: Mapping[str, RecordedDrafting | None]
    ) -> Self:
        """Read the model configuration of every role, and what drafts inside its engine."""
        return cls(
            {role: None if config is None else read_architecture(config) for role, config in configs.items()},
            {role: DraftsInside.read(entry) for role, entry in drafting.items() if entry is not None},
        )

    @classmethod
    def of_run(cls, manifest: Manifest) -> Self:
        """Read both from a run's manifest."""
        return cls.read(
            {"policy": manifest.architecture, **manifest.role_architectures},
            {"policy": manifest.drafting, **manifest.role_drafting},
        )

    def count(self, call: Call) -> CallFlops:
        """Return the FLOPs of `call`."""
        architecture, inside = self.architectures.get(call.role), self.drafts_inside.get(call.role)
        if architecture is None:
            return UNKNOWN
        tokens = {
            "num_prompt_tokens": call.num_prompt_tokens,
            "num_cached_tokens": call.num_cached_tokens,
            "num_generated_tokens": call.num_generated_tokens,
        }
        recompute, reread = _again(architecture, call)
        whole = call_flops(architecture, **tokens) + recompute + reread
        is_untold = inside is not None and call.num_drafts is None
        rejected = None if is_untold else _decoded(architecture, call, num_rejected(call))
        after_end = None if is_untold else _decoded(architecture, call, num_tokens_after_end(call))
        return CallFlops(
            model=None if rejected is None or after_end is None else whole + rejected + after_end,
            draft=0 if inside is None else _draft(inside, call),
            rejected=rejected,
            after_end=after_end,
            recompute=recompute,
            reread=reread,
            weights_only=weights_only_flops(architecture, **tokens),
        )


def num_rejected(call: Call) -> int:
    """Return how many drafted tokens the model read that are no part of the sample.

    Accepted ones beyond the sample's last token are no part of it either; those after a stop string have been
    taken off already (`with_drafts`).
    """
    num_used = call.num_accepted_tokens or 0
    if not _is_ended_outside(call):
        num_used = min(num_used, max(0, call.num_generated_tokens - 1 - (call.num_drafts or 0)))
    return (call.num_draft_tokens or 0) - num_used


def num_tokens_after_end(call: Call) -> int:
    """Return how many tokens the model read after the sample's end: those of one more step, or none.

    A stop string is found, and an abort asked for, outside the engine's core, which makes its next step for
    the sample meanwhile; vLLM's counters leave that step out.
    """
    return 1 + _num_drafted_a_step(call) if _is_ended_outside(call) else 0


def num_read_by_draft(call: Call, num_speculative_tokens: int) -> int:
    """Return how many tokens of `call` went through a small model that drafts in vLLM, its prompt's aside.

    It drafts after every prompt (a sample in pieces has several, a preempted one reads its own again), after
    every step that verified a draft, and after the one that came too late.
    """
    is_ended_outside = _is_ended_outside(call)
    return num_draft_positions(
        num_rounds=num_rounds(call),
        num_draft_tokens=(call.num_draft_tokens or 0) + is_ended_outside * _num_drafted_a_step(call),
        num_speculative_tokens=num_speculative_tokens,
    )


def num_rounds(call: Call) -> int:
    """Return how often a small model drafted for `call`."""
    num_prompts = call.num_pieces + call.num_preemptions
    return num_prompts + (call.num_drafts or 0) + _is_ended_outside(call)


def _is_ended_outside(call: Call) -> bool:
    return call.finish in (Finish.STOP, Finish.ABORT) and call.num_generated_tokens > 0


def _num_drafted_a_step(call: Call) -> int:
    """Return the mean of drafted tokens over all decoding steps: a look-up finds none for many of them."""
    num_steps = max(call.num_drafts or 0, call.num_generated_tokens - 1 - (call.num_accepted_tokens or 0), 1)
    return round((call.num_draft_tokens or 0) / num_steps)


def _decoded(architecture: Architecture, call: Call, num_tokens: int) -> int:
    """Return the FLOPs of reading `num_tokens` more than the sample has, each at its mean length."""
    return rejected_draft_flops(
        architecture,
        num_prompt_tokens=call.num_prompt_tokens,
        num_generated_tokens=call.num_generated_tokens,
        num_rejected_tokens=num_tokens,
    )


def _again(architecture: Architecture, call: Call) -> tuple[int, int]:
    """Return the FLOPs on what preemptions threw away, and on what pieces of the sample read again."""
    lengths = {
        "num_prompt_tokens": call.num_prompt_tokens,
        "num_generated_tokens": call.num_generated_tokens,
    }
    recompute = recompute_flops(architecture, **lengths, num_preemptions=call.num_preemptions)
    return recompute, reread_flops(architecture, **lengths, num_reread_tokens=call.num_reread_tokens)


def _draft(inside: DraftsInside, call: Call) -> int | None:
    if inside.drafter is Drafter.LOOKUP:
        return 0
    if inside.architecture is None or call.num_drafts is None:
        return None
    drafted = draft_flops(
        inside.architecture,
        num_prompt_tokens=call.num_prompt_tokens,
        num_cached_tokens=call.num_cached_tokens,
        num_generated_tokens=call.num_generated_tokens,
        num_positions=num_read_by_draft(call, inside.num_speculative_tokens),
        num_proposed_tokens=num_rounds(call) * inside.num_speculative_tokens,
    )
    return drafted + sum(_again(inside.architecture, call))
