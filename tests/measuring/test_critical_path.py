"""Where the time to answer went, worked out on paper."""

from dataclasses import asdict

import pytest

from tests.measuring.test_meter import call
from tts_eval.measuring.meter import critical_path
from tts_eval.spend import Call, CriticalPath


def generation(
    submitted_s: float, finished_s: float, *, queue_s: float = 0.0, prefill_s: float = 0.0
) -> Call:
    """Return a call that decodes for all the time it neither queues nor prefills."""
    decode_s = finished_s - submitted_s - queue_s - prefill_s
    times = {"queue_s": queue_s, "prefill_s": prefill_s, "decode_s": decode_s}
    return call(submitted_s=submitted_s, finished_s=finished_s, **times)


def scoring(submitted_s: float, finished_s: float) -> Call:
    return call(role="verifier", submitted_s=submitted_s, finished_s=finished_s)


def path_of(calls: list[Call], finished_s: float, *, begun_s: float = 0.0) -> CriticalPath:
    return critical_path(calls, arrived_s=0.0, begun_s=begun_s, finished_s=finished_s)


def test_a_vote_waits_for_its_slowest_sample() -> None:
    """Three samples at once; the last ends at 7 after queueing for 3 and a prefill of 1; voted by 7.5."""
    calls = [generation(0.0, 2.0), generation(0.0, 7.0, queue_s=3.0, prefill_s=1.0), generation(0.0, 4.0)]
    assert path_of(calls, 7.5) == CriticalPath(
        queue_s=3.0, prefill_s=1.0, decode_s=3.0, engine_other_s=0.0, verifier_s=0.0, strategy_s=0.5
    )


def test_a_tree_is_walked_back_through_its_verifier() -> None:
    """Branches 0-2 and 0-3, scored 3-4; half a second of thought; branches 4.5-6 and 4.5-5, scored 6-8."""
    calls = [
        generation(0.0, 2.0),
        generation(0.0, 3.0, prefill_s=0.5),
        scoring(3.0, 4.0),
        generation(4.5, 6.0),
        generation(4.5, 5.0),
        scoring(6.0, 8.0),
    ]
    assert path_of(calls, 8.0) == CriticalPath(
        queue_s=0.0, prefill_s=0.5, decode_s=2.5 + 1.5, engine_other_s=0.0, verifier_s=3.0, strategy_s=0.5
    )


def test_what_no_call_covers_is_the_strategys_own() -> None:
    """Arrived at 0, begun at 1, first asked at 2; grading from 3 to 5, a call to 6, answered at 9."""
    path = path_of([generation(2.0, 3.0), generation(5.0, 6.0)], 9.0, begun_s=1.0)
    assert (path.queue_s, path.decode_s, path.strategy_s) == (1.0, 2.0, 1.0 + 2.0 + 3.0)


def test_a_call_that_was_looked_into_while_it_ran_hides_what_ran_beside_it() -> None:
    """A stream 0-10 is probed at 3-4 and 6-7: the answer had to wait for the stream alone."""
    calls = [generation(3.0, 4.0), generation(6.0, 7.0), generation(0.0, 10.0)]
    assert path_of(calls, 10.0).decode_s == 10.0


def test_a_branch_that_lost_is_not_waited_for() -> None:
    """The answer of 4 came from 0-3; a call that was stopped only at 5 did not hold it up."""
    path = path_of([generation(0.0, 3.0), generation(0.0, 5.0)], 4.0)
    assert (path.decode_s, path.strategy_s) == (3.0, 1.0)


def test_a_sample_drawn_in_pieces_queues_between_them() -> None:
    """Queued for 1, first token at 2, last at 10; in between it waited for 3."""
    pieces = call(submitted_s=0.0, finished_s=10.0, queue_s=1.0, prefill_s=1.0, decode_s=8.0, requeue_s=3.0)
    path = path_of([pieces], 10.0)
    assert (path.queue_s, path.prefill_s, path.decode_s) == (4.0, 1.0, 5.0)


def test_an_engine_without_times_leaves_the_call_whole() -> None:
    unknown = call(submitted_s=0.0, finished_s=4.0, queue_s=None, prefill_s=None, decode_s=None)
    assert path_of([unknown], 4.0).engine_other_s == 4.0


def test_no_call_at_all() -> None:
    assert path_of([], 2.0).strategy_s == 2.0


@pytest.mark.parametrize("queue_s", [0.0, 1.9, 2.5])
def test_the_parts_add_up_even_if_the_engines_clock_ran_faster(queue_s: float) -> None:
    calls = [call(submitted_s=0.0, finished_s=2.0, queue_s=queue_s, prefill_s=0.3, decode_s=0.2)]
    parts = asdict(path_of(calls, 3.0))
    assert min(parts.values()) >= 0.0
    assert sum(parts.values()) == pytest.approx(3.0)
