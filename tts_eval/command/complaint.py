"""What is printed about a user's mistake: one line that names what was given and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from tts_eval.command.aside import meant

OVERRIDES = "name=value, +name=value for a new one, ~name to remove one, name=value,value with -m"


def complaint(error: BaseException) -> str:
    """Return `error` as one readable line."""
    for cause in _causes(error):
        if isinstance(cause, MissingConfigException) and cause.options is not None:
            given = str(cause.missing_cfg_file)
            return _with_options(f"{given!r} does not exist", given, cause.options)
        if isinstance(cause, OverrideParseException):
            reason = " ".join(str(cause.message).split("\nSee ")[0].split())
            return f"cannot read {cause.override!r} ({reason}); allowed: {OVERRIDES}"
        if isinstance(cause, ConfigAttributeError | ConfigKeyError):
            return _unknown_key(cause)
        if isinstance(cause, MissingMandatoryValue):
            return f"{cause.full_key} must be given: {cause.full_key}=..."
        if isinstance(cause, OSError) and cause.filename is not None:
            return f"{meant(str(cause.filename))[0]}: {cause.strerror}"
    text = " ".join(str(error).split())
    return text or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _unknown_key(error: OmegaConfBaseException) -> str:
    parent = error.parent_node
    allowed = [str(key) for key in parent if key != "_target_"] if isinstance(parent, DictConfig) else []
    where = str(error.full_key).rpartition(".")[0]
    name = str(error.full_key).rpartition(".")[2]
    place = f"{where} has no setting {name!r}" if where else f"there is no setting {name!r}"
    hint = f" (a further engine argument is given as +{error.full_key}=...)" if where == "engine" else ""
    return _with_options(place, name, allowed) + hint


def _with_options(what: str, given: str, options: Sequence[str]) -> str:
    near = get_close_matches(given.rpartition("/")[2], options, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"{what}; allowed: {', '.join(options)}{meant}"
