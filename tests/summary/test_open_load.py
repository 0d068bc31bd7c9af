"""What a run under a load of its own tells: steady throughput, saturation, goodput; worked out on paper."""

import numpy as np
import pytest

from tests.measuring.test_meter import call
from tts_eval.grading.grade import Grade, Verdict
from tts_eval.measuring.meter import Meter
from tts_eval.rundir.manifest import LoadFacts
from tts_eval.rundir.outcome import Fill, Outcome
from tts_eval.rundir.schema import plain
from tts_eval.summary.goodput import Objectives, goodput_figures
from tts_eval.summary.throughput import held_by_session, saturation_figures, steady_figures


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


def test_an_open_load_holds_the_gpus_for_as_many_gaps_as_it_has_arrivals() -> None:
    """Arrivals at 0, 2 and 4 s come every two seconds: three of them take six."""
    outcomes = arriving([(0.0, 4.0), (2.0, 3.0), (4.0, 14.0)])
    steady = LoadFacts(is_open=True, is_steady=True, in_flight=None)

    def held_s(load: LoadFacts, *, is_saturated: bool | None = None) -> float:
        return held_by_session(outcomes, load, is_saturated=is_saturated)[0]

    assert held_s(steady) == 6.0
    assert held_s(steady, is_saturated=True) == 14.0  # there is no steady state
    assert held_s(LoadFacts(is_open=True, is_steady=False, in_flight=None)) == 14.0
    assert held_by_session(outcomes[:1], steady, is_saturated=None) == {0: 4.0}  # no gap
    resumed = [*outcomes, solved("late", 0.0, 1.0, session=1), solved("later", 2.0, 3.0, session=1)]
    assert held_by_session(resumed, steady, is_saturated=None) == {0: 6.0, 1: 4.0}


def test_in_flight_is_a_mean_over_the_wall_with_the_fill() -> None:
    """Two measured, from 1 to 5 and from 3 to 9 s; fill from 0 to 3 and from 5 to 12: two, at any time."""
    outcomes = arriving([(1.0, 5.0), (3.0, 9.0)])
    fills = [Fill("x", 0, 0.0, 3.0, is_stopped=False), Fill("y", 0, 5.0, 12.0, is_stopped=True)]
    figures = plain(steady_figures(outcomes, fills, [call(num_generated_tokens=7)], wall_s=8.0, held_s=5.0))
    assert figures == {
        "held_s": 5.0,
        "mean_in_flight": 2.0,
        "arrivals_per_s": 0.5,
        "drain_share": 0.75,
        "fill": {"num_problems": 2, "num_stopped": 1, "num_calls": 1, "num_generated_tokens": 7},
    }
    assert plain(steady_figures([], [], [], wall_s=0.0, held_s=0.0))["mean_in_flight"] is None


def test_an_engine_that_keeps_up_is_not_saturated_where_the_run_is_long_enough_to_show_it() -> None:
    """A problem a second, each answered in three; A - A / 1.1 > 1.645 sqrt(A / 1.1) from A = 298 on."""
    short = plain(saturation_figures(arriving([(i, i + 3.0) for i in range(41)]), is_open=True))
    assert short["saturated"] is None
    assert short["saturation"]["window_s"] == [20.0, 40.0]
    assert short["saturation"]["num_arrivals"] == short["saturation"]["num_answers"] == 20
    assert (
        plain(saturation_figures(arriving([(i, i + 3.0) for i in range(501)]), is_open=True))["saturated"]
        is None
    )
    assert (
        plain(saturation_figures(arriving([(i, i + 3.0) for i in range(701)]), is_open=True))["saturated"]
        is False
    )


@pytest.mark.parametrize("num_problems", [40, 300])
@pytest.mark.parametrize("overload", [1.1, 1.5])
def test_an_overloaded_engine_is_never_said_to_keep_up(num_problems: int, overload: float) -> None:
    """One that serves one at a time, in exponential times: at most 5% may be said to keep up."""
    draw = np.random.default_rng(num_problems)
    verdicts = []
    for _ in range(20):
        arrived_s = np.cumsum(draw.exponential(1.0, num_problems))
        served_s = draw.exponential(overload, num_problems)
        answered_s, free_s = [], 0.0
        for at_s, takes_s in zip(arrived_s, served_s, strict=True):
            free_s = max(free_s, at_s) + takes_s
            answered_s.append(free_s)
        times_s = list(zip(arrived_s.tolist(), answered_s, strict=True))
        verdicts.append(saturation_figures(arriving(times_s), is_open=True).saturated)
    assert verdicts.count(False) <= (0 if overload == 1.5 else 3)


def test_an_engine_that_answers_half_of_what_comes_is_saturated() -> None:
    """A problem a second, one answer every two: problem i is answered at 2 i + 2."""
    figures = plain(saturation_figures(arriving([(i, 2.0 * i + 2.0) for i in range(81)]), is_open=True))
    assert figures["saturated"] is True
    assert (figures["saturation"]["num_arrivals"], figures["saturation"]["num_answers"]) == (40, 20)
    assert figures["saturation"]["backlog_z"] == pytest.approx(20 / 60**0.5)
    assert figures["saturation"]["answers_per_s"] == pytest.approx(0.5)


def test_many_slow_problems_at_once_are_no_saturation_but_too_short_a_run() -> None:
    """Each takes 100 seconds however many there are: nothing is answered before the last has come."""
    figures = plain(saturation_figures(arriving([(i, i + 100.0) for i in range(41)]), is_open=True))
    assert figures["saturated"] is None
    assert figures["saturation"]["num_answers"] == 0


def test_only_an_open_load_in_time_can_saturate() -> None:
    slower = arriving([(i, 2.0 * i + 2.0) for i in range(41)])
    assert plain(saturation_figures(slower, is_open=False)) == {"saturated": None, "saturation": None}
    assert plain(saturation_figures(arriving([(0.0, 1.0), (0.0, 2.0)]), is_open=True))["saturated"] is None
    assert plain(saturation_figures([], is_open=True))["saturated"] is None


def test_goodput_counts_the_problems_that_meet_every_objective() -> None:
    """Four problems in ten seconds took 3, 4, 5 and 6: two are good enough, one of them right."""
    outcomes = [
        solved("a", 0.0, 3.0),
        solved("b", 0.0, 4.0, is_correct=False),
        solved("c", 0.0, 5.0),
        solved("d", 4.0, 10.0),
    ]
    figures = plain(goodput_figures(outcomes, 10.0, Objectives(tta_s=4.0, ttft_s=1.0)))
    assert figures == {
        "objectives": {"ttft_s": 1.0, "tta_s": 4.0},
        "goodput_problems_per_s": 0.2,
        "goodput_share": 0.5,
        "goodput_correct_per_s": 0.1,
        "goodput_correct_share": 0.25,
    }
    assert plain(goodput_figures(outcomes, 10.0, Objectives(tta_s=4.0, ttft_s=0.5)))["goodput_share"] == 0.0


def test_goodput_without_objectives_or_times_is_unknown() -> None:
    outcomes = arriving([(0.0, 3.0)])
    assert plain(goodput_figures(outcomes, 3.0, Objectives()))["goodput_share"] is None
    assert plain(goodput_figures(outcomes, 3.0, Objectives(ttfat_s=9.0)))["goodput_share"] is None
    assert plain(goodput_figures([], 0.0, Objectives(tta_s=1.0)))["goodput_problems_per_s"] is None


def test_an_objective_is_a_time() -> None:
    with pytest.raises(ValueError, match=r"objectives\.tta_s must be a number from 0 or more, not -1"):
        Objectives(tta_s=-1)
