"""Whether what calls have generated is what the engine says, less what is stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def check_engine_counts(
    manifest: Mapping[str, Any], summary: Mapping[str, Any], lines: list[dict[str, Any]]
) -> Iterator[str]:
    """Hold the tokens of all lines of calls.jsonl, cut-off and fill calls too, against the engine's counter.

    The engine may have more: of a run that was killed, and tokens that came after a stop string in one step
    with it, at most a draft's for each such call. It cannot have fewer.
    """
    counted = summary["engine_generated_tokens"]
    if not counted:  # an engine without counters
        return
    roles = manifest["sessions"][-1]["engine_roles"][0]
    mine = [line for line in lines if line["role"] in roles]
    booked = sum(line["num_generated_tokens"] for line in mine)
    drafting = manifest["drafting"]
    most_lost = 0 if drafting is None else drafting["num_speculative_tokens"] * len(mine)
    is_whole = len(manifest["sessions"]) == 1
    if booked > counted or (is_whole and booked + most_lost < counted):
        yield f"engine_generated_tokens: {counted}, but its calls have {booked}"
