"""Whether every line of calls.jsonl and problems.jsonl has its place, and none is there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any


def check_lines(problems: list[dict[str, Any]], calls: list[dict[str, Any]]) -> Iterator[str]:
    """Yield lines that are there twice, and calls that their problem's spend does not count."""
    twice = [key for key, count in Counter(line["problem_id"] for line in problems).items() if count > 1]
    yield from (f"problem {name}: has more than one line" for name in twice)
    keys = Counter((line["session"], line["problem_id"], line["number"]) for line in calls)
    for (session, name, number), count in keys.items():
        if count > 1:
            yield f"problem {name}: call {number} of session {session} is there {count} times"
    of_problem = Counter((line["problem_id"], line["session"]) for line in calls)
    for line in problems:
        counted, found = line["spend"]["num_calls"], of_problem[line["problem_id"], line["session"]]
        if counted != found:
            yield f"problem {line['problem_id']}: spend counts {counted} calls, calls.jsonl has {found}"


def strays(problems: list[dict[str, Any]], calls: list[dict[str, Any]]) -> Counter[str]:
    """Count calls without a line of their problem in the same session: cut off by a kill, or fill."""
    known = {line["problem_id"]: line["session"] for line in problems}
    return Counter(
        "of problems cut off" if line["problem_id"] in known else "of fill, or of problems never finished"
        for line in calls
        if known.get(line["problem_id"]) != line["session"]
    )
