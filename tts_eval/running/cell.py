"""One cell of a sweep, made of parts that have been checked: nothing of it has been loaded yet."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tts_eval.engines.protocol import EngineSettings, RecordedDrafting, Replays
from tts_eval.engines.scheduling import Scheduling
from tts_eval.grading.settings import Grading
from tts_eval.hardware import Hardware
from tts_eval.llm.tokenizer import Codec
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.measuring.budget import Budget
from tts_eval.model import Model
from tts_eval.protocols import Load, RoleSetup, Setup, Strategy, Task, Verifier
from tts_eval.records import Problem
from tts_eval.running.deployment import Deployment, Role
from tts_eval.running.rehearsal import rehearse, rehearse_text
from tts_eval.summary.goodput import Objectives
from tts_eval.tracking.protocol import Tracking


@dataclass(frozen=True)
class Cell:
    """Model x task x strategy x engine setting x load, with the folder its run goes to.

    `config` is the composed configuration as plain values; `name` distinguishes the cell from the others of
    the sweep `group`; `labels` names the chosen option of each group (strategy, load and so on). `roles` are
    the models beside the policy: a verifier's, a draft.
    """

    name: str
    group: str
    labels: Mapping[str, str]
    model: Model
    engine: EngineSettings
    task: Task
    strategy: Strategy
    verifier: Verifier | None
    load: Load
    hardware: Hardware
    tracking: Tracking
    seed: int
    directory: Path
    config: Mapping[str, Any] = field(repr=False)
    budget: Budget = field(default_factory=Budget)
    objectives: Objectives = field(default_factory=Objectives)
    scheduling: Scheduling = field(default_factory=Scheduling)
    grading: Grading = field(default_factory=Grading)
    roles: Mapping[str, Role] = field(default_factory=dict)

    @property
    def is_filled(self) -> bool:
        """Whether unmeasured problems keep the load up; one user alone needs none, nor does a replay."""
        return self.load.is_steady and self.load.in_flight != 1 and not isinstance(self.engine, Replays)

    def apart(self) -> Cell:
        """Return the cell with copies of strategy and verifier, which share nothing with these.

        Raises ValueError where they cannot be copied.
        """
        try:
            strategy, verifier = copy.deepcopy((self.strategy, self.verifier))
        except Exception as error:
            raise ValueError(
                f"strategy {type(self.strategy).__name__} or its verifier cannot be copied ({error}); copies "
                "keep a steady load up; give it a __deepcopy__, or load=all_at_once or load=sequential"
            ) from error
        return replace(self, strategy=strategy, verifier=verifier)

    @property
    def deployment(self) -> Deployment:
        """The engines of the policy and of all other roles."""
        return Deployment({"policy": Role(self.model, self.engine), **self.roles})

    def check(self) -> CheckedCell:
        """Load problems and tokenizer and refuse, with a ValueError, whatever could only fail later."""
        problems = tuple(self.task.problems())
        if not problems:
            raise ValueError(f"task {self.task.name} has no problems with these settings")
        self._check_samples()
        self.deployment.check()
        self._check_hardware()
        self.scheduling.check(problems)
        if isinstance(self.engine, Replays):
            return self._checked(problems, self.engine.codec(), {})
        codecs: dict[str, Codec] = {
            name: role.engine.text_codec(role.model) or Codec(role.model)
            for name, role in self.deployment.roles.items()
        }
        for codec in codecs.values():
            codec.check(problem.question for problem in problems)
        completed = replace(
            self,
            model=codecs["policy"].model,
            roles={name: replace(role, model=codecs[name].model) for name, role in self.roles.items()},
        )
        policy = codecs.pop("policy")
        return completed._checked(problems, policy, codecs)

    def _check_hardware(self) -> None:
        """Reject the price and the speeds of a machine without GPUs where the policy runs on one."""
        if self.engine.memory_share and not self.hardware.is_gpu:  # on processors there is none to share
            raise ValueError(
                "the engine runs on a GPU, but the hardware is that of a machine without one (hardware=auto "
                "finds NVIDIA's through NVML, the package nvidia-ml-py); give hardware=h100, ..."
            )

    def _checked(
        self, problems: tuple[Problem, ...], codec: Any, role_codecs: Mapping[str, Codec]
    ) -> CheckedCell:
        """Go on with the check of a cell whose models are completed by what their chat templates show."""
        replays = self.engine if isinstance(self.engine, Replays) else None
        longest = max(len(codec.prompt(problem.question)) for problem in problems)
        model_len = self.engine.model_len(self.model)
        if longest >= model_len:
            raise ValueError(
                f"the longest prompt of task {self.task.name} has {longest} tokens; "
                f"the model's length is {model_len}"
            )
        # What is replayed was sampled, whatever the model would do by itself.
        drawn_by = replace(self.model, temperature=self.model.temperature or 1.0) if replays else self.model
        setup = Setup(
            drawn_by,
            room_tokens=model_len - longest,
            verifier=self.verifier,
            roles={name: _role_setup(role, role_codecs[name], problems) for name, role in self.roles.items()},
            is_speculative=bool(self.config.get("speculation")),
            no_cap=None if replays else self._no_cap(codec),
        )
        self.strategy.check(setup)
        if self.model.warns_against_greedy and self.strategy.is_greedy(drawn_by):
            warnings.warn(
                f"strategy {self.labels['strategy']} is greedy, which the authors of {self.model.name} warn "
                "against (endless repetition): strategy.temperature=null samples as they recommend",
                stacklevel=2,
            )
        roles = {
            name: CheckedRole(role_codecs[name], _architecture(role), _drafting(role))
            for name, role in self.roles.items()
        }
        self._check_verifier(roles)
        if self.is_filled:
            self.apart()
        self.tracking.check()
        policy = self.deployment.roles["policy"]
        architecture = replays.architecture if replays else _architecture(policy)
        drafting = _drafting(policy)
        checked = CheckedCell(self, problems, codec, architecture, roles, drafting)
        if replays:
            rehearse(checked, num_samples=replays.num_samples)
        elif (rehearsal := self.engine.rehearsal(self.model)) is not None:
            rehearse_text(checked, rehearsal)
        return checked

    def _no_cap(self, codec: Codec) -> str | None:
        """Return why the policy's engine cannot end the thinking itself, None where it can."""
        if not self.engine.capabilities.ends_thinking:
            return "strategy.enforced_by=engine needs engine=vllm_thinking"
        try:
            codec.check_cap()
        except ValueError as error:
            return str(error)
        return None

    def _check_samples(self) -> None:
        """Raise ValueError where a model has to write, and its engine reads; a verifier's may be read."""
        read = None if self.verifier is None else self.verifier.role
        for name, role in self.deployment.roles.items():
            if name != read:
                role.engine.check_samples(name)

    def _check_verifier(self, roles: Mapping[str, CheckedRole]) -> None:
        verifier = self.verifier
        if verifier is None:
            return
        if verifier.num_logprobs is not None:
            most = self.engine.capabilities.max_num_logprobs
            if most is None:
                raise ValueError(
                    f"verifier {self.labels['verifier']} reads log-probabilities; "
                    f"engine={self.engine.label} gives none"
                )
            if verifier.num_logprobs > most:
                raise ValueError(
                    f"verifier.num_logprobs={verifier.num_logprobs} is more than the engine gives, {most}; "
                    f"give +engine.max_logprobs={verifier.num_logprobs}"
                )
        if verifier.role is None:
            return
        if verifier.role not in roles:
            given = ", ".join(("policy", *roles))
            raise ValueError(
                f"verifier {self.labels['verifier']} needs a model for role {verifier.role!r}; "
                f"there are: {given}; give +model@roles.{verifier.role}.model=..."
            )
        verifier.check_role(self.roles[verifier.role].model, roles[verifier.role].codec)


def _role_setup(role: Role, codec: Codec, problems: Sequence[Problem]) -> RoleSetup:
    """Return the model of `role` with the room that the longest prompt leaves it."""
    longest = max(len(codec.prompt(problem.question)) for problem in problems)
    return RoleSetup(role.model, role.engine.model_len(role.model) - longest)


def _architecture(role: Role) -> Mapping[str, Any] | None:
    """Return the model's configuration if FLOPs can be counted from it; a run must not fail over them."""
    return _counted(role.model) if role.engine.capabilities.token_ids else None


def _counted(model: Model) -> Mapping[str, Any] | None:
    config: Mapping[str, Any] = json.loads(model.architecture().get_text_config().to_json_string())
    try:
        read_architecture(config)
    except ValueError as error:
        warnings.warn(f"FLOPs stay unknown: {error}", stacklevel=2)
        return None
    return config


def _drafting(role: Role) -> RecordedDrafting | None:
    """Return what drafts inside the engine of `role`, and its configuration where it is a model."""
    drafting = role.engine.drafting(role.model)
    if drafting is None:
        return None
    architecture = None if drafting.model is None else _counted(drafting.model)
    return RecordedDrafting(drafting.drafter, drafting.num_tokens, architecture)


@dataclass(frozen=True)
class CheckedRole:
    """A role beside the policy: its model's tokenizer and configuration are at hand."""

    codec: Codec = field(repr=False)
    architecture: Mapping[str, Any] | None = field(default=None, repr=False)
    drafting: RecordedDrafting | None = field(default=None, repr=False)


@dataclass(frozen=True)
class CheckedCell:
    """A cell that may run: its problems, the model's tokenizer and its configuration are at hand."""

    cell: Cell
    problems: tuple[Problem, ...] = field(repr=False)
    codec: Codec = field(repr=False)
    architecture: Mapping[str, Any] | None = field(default=None, repr=False)
    roles: Mapping[str, CheckedRole] = field(default_factory=dict, repr=False)
    drafting: RecordedDrafting | None = field(default=None, repr=False)

    def apart(self) -> CheckedCell:
        """Return the cell with a strategy and a verifier of its own; raises ValueError as `Cell.apart`."""
        return replace(self, cell=self.cell.apart())
