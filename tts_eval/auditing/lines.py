"""Whether every line of calls.jsonl and problems.jsonl has its place, and none is there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tts_eval.rundir.outcome import Outcome
from tts_eval.spend import Call


def check_lines(problems: Sequence[Outcome], calls: Sequence[tuple[int, Call]]) -> Iterator[str]:
    """Yield lines that are there twice, and calls that their problem's spend does not count."""
    twice = [key for key, count in Counter(outcome.problem_id for outcome in problems).items() if count > 1]
    yield from (f"problem {name}: has more than one line" for name in twice)
    keys = Counter((session, call.problem_id, call.number) for session, call in calls)
    for (session, name, number), count in keys.items():
        if count > 1:
            yield f"problem {name}: call {number} of session {session} is there {count} times"
    of_problem = Counter((call.problem_id, session) for session, call in calls)
    for outcome in problems:
        counted, found = outcome.spend.num_calls, of_problem[outcome.problem_id, outcome.session]
        if counted != found:
            yield f"problem {outcome.problem_id}: spend counts {counted} calls, calls.jsonl has {found}"


def strays(problems: Sequence[Outcome], calls: Sequence[tuple[int, Call]]) -> Counter[str]:
    """Count calls without a line of their problem in the same session: cut off by a kill, or fill."""
    known = {outcome.problem_id: outcome.session for outcome in problems}
    return Counter(
        "of problems cut off" if call.problem_id in known else "of fill, or of problems never finished"
        for session, call in calls
        if known.get(call.problem_id) != session
    )
