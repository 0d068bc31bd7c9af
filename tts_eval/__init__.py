"""Which way of spending test-time compute buys the most correct answers per second, dollar and joule."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tts_eval.analysis.frames import load
    from tts_eval.command.solving import asolve, solve
    from tts_eval.protocols import LanguageModel, Strategy, Task, Verifier
    from tts_eval.records import Attempt, Candidate, Problem, Trace
    from tts_eval.spend import MaxSpend

    __version__: str

__all__ = [
    "Attempt",
    "Candidate",
    "LanguageModel",
    "MaxSpend",
    "Problem",
    "Strategy",
    "Task",
    "Trace",
    "Verifier",
    "__version__",
    "asolve",
    "load",
    "solve",
]

# Imported when it is first asked for: `import tts_eval` alone loads neither pandas nor hydra.
_HOMES = {
    "load": "analysis.frames",
    **dict.fromkeys(("asolve", "solve"), "command.solving"),
    **dict.fromkeys(("LanguageModel", "Strategy", "Task", "Verifier"), "protocols"),
    **dict.fromkeys(("Attempt", "Candidate", "Problem", "Trace"), "records"),
    "MaxSpend": "spend",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("tts_eval")
    if name not in _HOMES:
        raise AttributeError(f"module 'tts_eval' has no attribute {name!r}")
    return getattr(import_module(f"tts_eval.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
