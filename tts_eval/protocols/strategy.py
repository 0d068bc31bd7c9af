"""The base of every strategy."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from tts_eval.model import Model
from tts_eval.protocols.bounds import check_bounds
from tts_eval.protocols.language_model import LanguageModel
from tts_eval.protocols.setup import Setup
from tts_eval.protocols.verifier import Verifier
from tts_eval.records import Attempt, Problem
from tts_eval.spend import MaxSpend


class Strategy:
    """A way of spending test-time compute on one problem.

    To write one, subclass it as a frozen dataclass and override `solve`. Its fields are its YAML: give each
    a default, and its bounds (`n: int = whole(16, minimum=1)`, see `tts_eval.protocols.bounds`); what takes
    more than one field to judge raises ValueError in `__post_init__`. Override `check` for what can only be
    judged with the model at hand, and `max_spend` so that sweeps put it on one axis with the others.
    Helper methods begin with an underscore: `tts_eval.toolkit.plugin_kit`, which a test of yours calls, takes
    any other public method for a misspelt hook.

    A strategy is given its model and verifier, metered; it builds no engine, reads no clock and counts no
    token. What can run at once does: `await llm.extend(..., n=8)`, or `tts_eval.concurrency.together`. Its
    only randomness is that of the model and of `llm.uniform`. Another strategy is a part by configuration (a
    field that is a `Strategy`), never by import. `tts_eval.toolkit.sampled` has bases with the usual sampling
    settings.
    """

    def __post_init__(self) -> None:
        """Raise ValueError for a setting that is out of its bounds; overriding it, call it first."""
        check_bounds("strategy", self)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Answer `problem`, spending through `llm` and `verifier` alone."""
        raise NotImplementedError(f"{type(self).__name__} does not override solve")

    def check(self, setup: Setup) -> None:
        """Raise ValueError where it cannot run in `setup`, before anything is loaded.

        Overriding it, call `super().check(setup)`, which checks the strategies it is made of.
        """
        for part in self.parts:
            part.check(setup)

    def max_spend(self, room_tokens: int) -> MaxSpend | None:
        """Return the upper bound of what it asks of the policy for a problem that leaves `room_tokens`.

        None where it is not known. Asking for more fails the problem.
        """
        return None

    def is_greedy(self, model: Model) -> bool:
        """Return whether each of its samples takes the likeliest token of `model`.

        One made of others is greedy if all of them are: the sampling is theirs.
        """
        parts = self.parts
        return all(part.is_greedy(model) for part in parts) if parts else model.sampling.is_greedy

    @property
    def parts(self) -> tuple[Strategy, ...]:
        """The strategies that it is made of: its fields that are strategies."""
        settings: list[object] = []
        if is_dataclass(self):
            settings = [getattr(self, each.name) for each in fields(self)]
        return tuple(setting for setting in settings if isinstance(setting, Strategy))
