"""What a run under a load of its own tells: steady throughput, saturation, goodput; worked out on paper."""

import pytest

from tests.measuring.test_meter import call
from tts_eval.grading.grade import Grade, Verdict
from tts_eval.measuring.meter import Meter
from tts_eval.measuring.objectives import Objectives
from tts_eval.running.figures.goodput import goodput_figures
from tts_eval.running.figures.saturation import saturation_figures
from tts_eval.running.figures.steadiness import steady_figures
from tts_eval.running.outcome import Outcome
from tts_eval.spend import Call


def solved(
    name: str, arrived_s: float, finished_s: float, *, session: int = 0, is_correct: bool = True
) -> Outcome:
    """Return a problem with one call; its first token comes after a second."""
    ticks = iter([arrived_s, finished_s])
    meter = Meter(name, lambda: next(ticks))
    times = {"submitted_s": arrived_s, "first_token_s": arrived_s + 1.0, "finished_s": finished_s}
    meter.add(call(**times, decode_s=finished_s - arrived_s - 1.0))
    return Outcome(
        problem_id=name,
        level=None,
        gold="1",
        session=session,
        attempt=None,
        grade=Grade(Verdict.EQUAL if is_correct else Verdict.UNEQUAL, ""),
        spend=meter.spend(),
    )


def arriving(times_s: list[tuple[float, float]]) -> list[Outcome]:
    return [solved(str(i), arrived_s, finished_s) for i, (arrived_s, finished_s) in enumerate(times_s)]


def tokens(problem_id: str, first_token_s: float, decode_s: float, num_generated_tokens: int) -> Call:
    return call(
        problem_id=problem_id,
        first_token_s=first_token_s,
        decode_s=decode_s,
        num_generated_tokens=num_generated_tokens,
    )


def test_the_steady_window_is_from_the_first_answer_to_the_last_arrival() -> None:
    """Two users; answers at 4, 5, 8, 10; the last problem comes at 5: the window is 4 to 5."""
    outcomes = arriving([(0.0, 4.0), (0.0, 5.0), (4.0, 8.0), (5.0, 10.0)])
    calls = [
        tokens("0", first_token_s=1.0, decode_s=3.0, num_generated_tokens=31),  # over when it begins
        tokens("1", first_token_s=1.0, decode_s=4.0, num_generated_tokens=41),  # 10 tokens in its last second
        tokens("2", first_token_s=4.5, decode_s=3.0, num_generated_tokens=31),  # the first and 5 more
        tokens("3", first_token_s=6.0, decode_s=4.0, num_generated_tokens=41),
    ]
    figures = steady_figures(outcomes, calls, is_steady=True)
    assert figures["steady_window_s"] == (4.0, 5.0)
    assert figures["steady_problems_per_s"] == 1.0
    assert figures["steady_generated_tokens_per_s"] == pytest.approx(10 + 1 + 5)


def test_a_load_without_a_steady_part_has_no_steady_throughput() -> None:
    outcomes = arriving([(0.0, 4.0), (0.0, 5.0)])
    assert steady_figures(outcomes, [], is_steady=True)["steady_window_s"] is None  # all came at once
    staggered = arriving([(0.0, 4.0), (4.5, 9.0)])
    assert steady_figures(staggered, [], is_steady=True)["steady_window_s"] == (4.0, 4.5)
    assert steady_figures(staggered, [], is_steady=False)["steady_window_s"] is None
    assert steady_figures([], [], is_steady=True)["steady_problems_per_s"] is None


def test_calls_without_times_leave_the_steady_tokens_unknown() -> None:
    outcomes = arriving([(0.0, 4.0), (4.5, 9.0)])
    timeless = [call(problem_id="0", first_token_s=None, decode_s=None)]
    figures = steady_figures(outcomes, timeless, is_steady=True)
    assert figures["steady_generated_tokens_per_s"] is None
    assert figures["steady_problems_per_s"] == 0.0


def test_sessions_have_clocks_of_their_own() -> None:
    resumed = [solved("late", 0.0, 1.0, session=1)]
    outcomes = [*arriving([(0.0, 4.0), (0.0, 5.0), (4.5, 9.0)]), *resumed]
    assert steady_figures(outcomes, [], is_steady=True)["steady_window_s"] == (4.0, 4.5)


def test_an_engine_that_keeps_up_is_not_saturated() -> None:
    """A problem a second, each answered in three."""
    figures = saturation_figures(arriving([(i, i + 3.0) for i in range(41)]), is_open=True)
    assert figures["saturated"] is False
    assert figures["saturation"]["window_s"] == (20.0, 40.0)
    assert figures["saturation"]["num_arrivals"] == figures["saturation"]["num_answers"] == 20


def test_an_engine_that_answers_half_of_what_comes_is_saturated() -> None:
    """A problem a second, one answer every two: problem i is answered at 2 i + 2."""
    figures = saturation_figures(arriving([(i, 2.0 * i + 2.0) for i in range(81)]), is_open=True)
    assert figures["saturated"] is True
    assert (figures["saturation"]["num_arrivals"], figures["saturation"]["num_answers"]) == (40, 20)
    assert figures["saturation"]["backlog_z"] == pytest.approx(20 / 60**0.5)
    assert figures["saturation"]["answers_per_s"] == 0.5


def test_many_slow_problems_at_once_are_no_saturation_but_too_short_a_run() -> None:
    """Each takes 100 seconds however many there are: nothing is answered before the last has come."""
    figures = saturation_figures(arriving([(i, i + 100.0) for i in range(41)]), is_open=True)
    assert figures["saturated"] is None
    assert figures["saturation"]["num_answers"] == 0


def test_only_an_open_load_in_time_can_saturate() -> None:
    slower = arriving([(i, 2.0 * i + 2.0) for i in range(41)])
    assert saturation_figures(slower, is_open=False) == {"saturated": None, "saturation": None}
    assert saturation_figures(arriving([(0.0, 1.0), (0.0, 2.0)]), is_open=True)["saturated"] is None
    assert saturation_figures([], is_open=True)["saturated"] is None


def test_goodput_counts_the_problems_that_meet_every_objective() -> None:
    """Four problems in ten seconds took 3, 4, 5 and 6: two are good enough, one of them right."""
    outcomes = [
        solved("a", 0.0, 3.0),
        solved("b", 0.0, 4.0, is_correct=False),
        solved("c", 0.0, 5.0),
        solved("d", 4.0, 10.0),
    ]
    figures = goodput_figures(outcomes, 10.0, Objectives(tta_s=4.0, ttft_s=1.0))
    assert figures == {
        "objectives": {"ttft_s": 1.0, "tta_s": 4.0},
        "goodput_problems_per_s": 0.2,
        "goodput_share": 0.5,
        "goodput_correct_per_s": 0.1,
        "goodput_correct_share": 0.25,
    }
    assert goodput_figures(outcomes, 10.0, Objectives(tta_s=4.0, ttft_s=0.5))["goodput_share"] == 0.0


def test_goodput_without_objectives_or_times_is_unknown() -> None:
    outcomes = arriving([(0.0, 3.0)])
    assert goodput_figures(outcomes, 3.0, Objectives())["goodput_share"] is None
    assert goodput_figures(outcomes, 3.0, Objectives(ttfat_s=9.0))["goodput_share"] is None
    assert goodput_figures([], 0.0, Objectives(tta_s=1.0))["goodput_problems_per_s"] is None


def test_an_objective_is_a_time() -> None:
    with pytest.raises(ValueError, match=r"objectives\.tta_s must be a number from 0 or more, not -1"):
        Objectives(tta_s=-1)
