"""What a run gives its strategy, as far as it is known before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tts_eval.model import Model

if TYPE_CHECKING:
    from tts_eval.protocols.verifier import Verifier

POLICY = "policy"


@dataclass(frozen=True, slots=True)
class RoleSetup:
    """A model, and how many tokens its length leaves after the longest prompt."""

    model: Model
    room_tokens: int


@dataclass(frozen=True, slots=True)
class Setup:
    """What `Strategy.check` is given.

    `room_tokens` is what the length of `model` leaves after the longest prompt, `verifier` the configured
    one. `roles` holds every model by the role it plays, the policy's too. `is_speculative` says whether the
    policy's engine drafts tokens; `no_cap` why it cannot end the thinking itself, None where it can.
    """

    model: Model
    room_tokens: int
    verifier: Verifier | None = None
    roles: Mapping[str, RoleSetup] = field(default_factory=dict)
    is_speculative: bool = False
    no_cap: str | None = None

    def __post_init__(self) -> None:
        policy = {POLICY: RoleSetup(self.model, self.room_tokens)}
        object.__setattr__(self, "roles", policy | dict(self.roles))

    def as_role(self, role: str) -> Setup:
        """Return what a part finds that is given `llm.as_role(role)`."""
        played = self.roles[role]
        return replace(self, model=played.model, room_tokens=played.room_tokens)
