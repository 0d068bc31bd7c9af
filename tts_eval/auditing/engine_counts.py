"""Whether what calls have generated is what the engine says, less what is stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tts_eval.records import Finish
from tts_eval.rundir.manifest import Manifest
from tts_eval.spend import Call
from tts_eval.summary.gauges import GaugeFigures


def check_engine_counts(
    manifest: Manifest,
    gauges: GaugeFigures | None,
    calls: Sequence[tuple[int, Call]],
    *,
    last_read_s: Mapping[int, float],
) -> Iterator[str]:
    """Hold the tokens of all lines of calls.jsonl, cut-off and fill calls too, against the engine's counter.

    The engine may have more: of a run that was killed, and tokens that came after a stop string in one step
    with it, at most a draft's for each such call; and a server's of calls that were stopped, or failed and
    were tried again. It may lack only calls that ended after its counter was
    last read in their session, `last_read_s`: in a session that was killed that is before its end.
    """
    if gauges is None or not gauges.engine_generated_tokens:  # an engine without counters
        return
    counted = gauges.engine_generated_tokens
    roles = manifest.sessions[-1].engine_roles[0]
    mine = [(session, call) for session, call in calls if call.role in roles]
    read = [(session, call) for session, call in mine if call.finished_s <= last_read_s.get(session, 0.0)]
    booked, least = (sum(call.num_generated_tokens for _, call in some) for some in (mine, read))
    drafting = manifest.drafting
    most_lost = 0 if drafting is None else drafting.num_speculative_tokens * len(mine)
    # A server that loses its client generates a little more, which nobody receives.
    is_cut = any(call.url and (call.finish is Finish.ABORT or call.failed) for _, call in mine)
    is_whole = len(manifest.sessions) == 1 and not is_cut
    if least > counted or (is_whole and booked + most_lost < counted):
        yield f"engine_generated_tokens: {counted}, but its calls have {booked}"
