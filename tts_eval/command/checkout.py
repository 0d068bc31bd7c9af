"""Whether the shelves are those of this checkout: their names are also other people's packages.

Imports none of them and knows nothing that lies on them.
"""

from __future__ import annotations

from importlib.util import find_spec

from tts_eval.model import PROJECT_ROOT

SHELVES = ("strategies", "verifiers", "tasks")


def check_shelves() -> None:
    """Raise ValueError where Python would import a shelf from somewhere else than this checkout."""
    for name in SHELVES:
        spec = find_spec(name)
        ours = PROJECT_ROOT / name / "__init__.py"
        found = "nothing" if spec is None else spec.origin
        if found != str(ours):
            raise ValueError(
                f"`import {name}` finds {found}, not {ours}; install tts_eval in an environment of its own, "
                f"or run it from {PROJECT_ROOT}"
            )
