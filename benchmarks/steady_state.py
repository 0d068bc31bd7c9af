"""Which way of measuring a steady load is unbiased: a simulated server, runs of 50 to 800 problems.

    python -m benchmarks.steady_state

A closed loop of k = 32, then Poisson arrivals at loads .5 and .8.

The server shares its steps evenly: a step with n samples takes `1 + n / 40` ms and gives each a token.
Lengths are log-normal, and one problem in 25 is a runaway that only its limit of 4,000 tokens ends. Half of
the problems are answered rightly. Against a run of 400,000 stand, for each size of run: (a) the whole
wall of a run without fill, (b) its window from the first answer to the last arrival, (c) fill and Little's
law. With 50 problems one run in eight meets no runaway: no interval can know of what was not seen.

Poisson arrivals of the same lengths wait in one line for eight places of 100 tokens/s each. A run begins with
an empty server; its wall is held against the time from the first to the last arrival times N / (N - 1).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tts_eval.statistics.intervals import ratio_ci95

K = 32
SIZES = (50, 100, 200, 800)
NUM_RUNS = 300
NUM_LONG = 400_000
LIMIT = 4000
LOADS = (0.5, 0.8)
NUM_PLACES, PLACE_TOKENS_PER_S = 8, 100.0


@dataclass(frozen=True, slots=True)
class Flight:
    """One problem: when it arrived and was answered, in seconds, and how many tokens it took."""

    arrived_s: float
    answered_s: float
    num_tokens: int


def lengths(draw: np.random.Generator, num: int) -> list[int]:
    """Return how many tokens each of `num` problems takes."""
    usual = np.clip(draw.lognormal(4.5, 0.7, num), 1, LIMIT).astype(int)
    return [int(num_tokens) for num_tokens in np.where(draw.random(num) < 0.04, LIMIT, usual)]


def step_s(num_samples: int) -> float:
    """Return how long a step takes."""
    return 1e-3 * (1 + num_samples / 40)


def served(num_tokens: Sequence[int], num_measured: int) -> list[Flight]:
    """Return the flights of problems that arrive in order as places come free, until none is left.

    Ends once the first `num_measured` after the first k, which are fill, are answered; those alone are
    returned. With `num_measured` equal to all problems there is no fill.
    """
    is_filled = num_measured < len(num_tokens)
    measured = range(K, K + num_measured) if is_filled else range(num_measured)
    now_s, served_tokens, next_problem = 0.0, 0.0, 0
    running: list[tuple[float, int]] = []  # the tokens each sample has had when its problem is answered
    arrived_s: dict[int, float] = {}
    flights: list[Flight] = []
    while len(flights) < num_measured:
        while len(running) < K and next_problem < len(num_tokens):
            heapq.heappush(running, (served_tokens + num_tokens[next_problem], next_problem))
            arrived_s[next_problem] = now_s
            next_problem += 1
        until_tokens, problem = heapq.heappop(running)
        now_s += (until_tokens - served_tokens) * step_s(len(running) + 1)
        served_tokens = until_tokens
        if problem in measured:
            flights.append(Flight(arrived_s[problem], now_s, num_tokens[problem]))
    return flights


@dataclass(frozen=True, slots=True)
class Figures:
    """What one way of measuring makes of a run."""

    tokens_per_s: float
    held_s_per_correct: float
    tta_p50_s: float
    ci95: tuple[float, float] | None = None  # of held_s_per_correct


def whole_wall(flights: Sequence[Flight], right: Sequence[bool]) -> Figures:
    """Return the figures over the time from the first arrival to the last answer."""
    wall_s = max(flight.answered_s for flight in flights) - min(flight.arrived_s for flight in flights)
    return _shared(flights, right, wall_s, [f.answered_s - f.arrived_s for f in flights])


def window(flights: Sequence[Flight], right: Sequence[bool]) -> Figures:
    """Return the figures of what was answered between the first answer and the last arrival."""
    begin_s = min(flight.answered_s for flight in flights)
    end_s = max(flight.arrived_s for flight in flights)
    inside = [is_in for f, is_in in zip(flights, right, strict=True) if begin_s < f.answered_s <= end_s]
    chosen = [flight for flight in flights if begin_s < flight.answered_s <= end_s]
    return _shared(chosen, inside, end_s - begin_s, [f.answered_s - f.arrived_s for f in chosen])


def little(flights: Sequence[Flight], right: Sequence[bool]) -> Figures:
    """Return the figures of problems that share the server with k - 1 others, be these measured or fill."""
    tta_s = [flight.answered_s - flight.arrived_s for flight in flights]
    return _shared(flights, right, sum(tta_s) / K, tta_s)


def arrivals(flights: Sequence[Flight], right: Sequence[bool]) -> Figures:
    """Return the figures over the time of N gaps between arrivals, of which a run has N - 1."""
    arrived_s = [flight.arrived_s for flight in flights]
    held_s = (max(arrived_s) - min(arrived_s)) * len(flights) / (len(flights) - 1)
    return _shared(flights, right, held_s, [flight.num_tokens for flight in flights])


def _shared(
    flights: Sequence[Flight], right: Sequence[bool], held_s: float, weights: Sequence[float]
) -> Figures:
    """Return the figures of `held_s`, shared out over the problems by `weights`."""
    shares_s = held_s * np.asarray(weights) / sum(weights)
    tta_s = [flight.answered_s - flight.arrived_s for flight in flights]
    return Figures(
        tokens_per_s=sum(flight.num_tokens for flight in flights) / held_s,
        held_s_per_correct=held_s / max(sum(right), 1),
        tta_p50_s=float(np.median(tta_s)),
        ci95=ratio_ci95(shares_s, np.asarray(right, float)) if len(tta_s) <= max(SIZES) else None,
    )


def ways(draw: np.random.Generator, num: int) -> dict[str, Figures]:
    """Measure one run of `num` problems in each way."""
    own, right = lengths(draw, num), (draw.random(num) < 0.5).tolist()
    bare = served(own, num)
    filled = served([*lengths(draw, K), *own, *lengths(draw, 2000)], num)
    return {
        "(a) whole wall": whole_wall(bare, right),
        "(b) window": window(bare, right),
        "(c) fill, Little": little(filled, right),
    }


def queued(draw: np.random.Generator, num: int, *, load: float, mean_tokens: float) -> list[Flight]:
    """Return the flights of `num` Poisson arrivals, of which the first finds all places free."""
    rate_per_s = load * NUM_PLACES * PLACE_TOKENS_PER_S / mean_tokens
    free_s = [0.0] * NUM_PLACES
    flights = []
    for arrived_s, num_tokens in zip(
        np.cumsum(draw.exponential(1 / rate_per_s, num)).tolist(), lengths(draw, num), strict=True
    ):
        answered_s = max(free_s[0], arrived_s) + num_tokens / PLACE_TOKENS_PER_S
        heapq.heapreplace(free_s, answered_s)
        flights.append(Flight(arrived_s, answered_s, num_tokens))
    return flights


def ways_of_queue(
    draw: np.random.Generator, num: int, *, load: float, mean_tokens: float
) -> dict[str, Figures]:
    """Measure one run of `num` arrivals in each way."""
    flights = queued(draw, num, load=load, mean_tokens=mean_tokens)
    right = (draw.random(num) < 0.5).tolist()
    return {"(a) whole wall": whole_wall(flights, right), "(d) N / (N - 1)": arrivals(flights, right)}


def compare(truth: Figures, measured: Callable[[int], dict[str, Figures]]) -> None:
    """Print, for each way and size, mean deviations from the long run, and how often it is covered."""
    print(f"long run: {truth.tokens_per_s:.0f} tokens/s, median {truth.tta_p50_s:.3f} s, "
          f"{truth.held_s_per_correct * 1e3:.2f} ms of the server a correct answer")  # fmt: skip
    print(f"{'':18} {'N':>4} {'tokens/s':>9} {'s/correct':>9} {'tta p50':>9} {'covered':>8}")
    for num in SIZES:
        found: dict[str, list[Figures]] = {}
        for _ in range(NUM_RUNS):
            for name, figures in measured(num).items():
                found.setdefault(name, []).append(figures)
        for name, runs in found.items():
            biases = [
                np.mean([getattr(run, figure) for run in runs]) / getattr(truth, figure) - 1
                for figure in ("tokens_per_s", "held_s_per_correct", "tta_p50_s")
            ]
            covered = np.mean(
                [run.ci95[0] <= truth.held_s_per_correct <= run.ci95[1] for run in runs if run.ci95]
            )
            print(f"{name:18} {num:4} " + " ".join(f"{bias:+9.1%}" for bias in biases) + f" {covered:8.0%}")


def main() -> None:
    """Print a table for the closed loop, and one for each load of Poisson arrivals."""
    draw = np.random.default_rng(0)
    flights = served(lengths(draw, NUM_LONG + 2000), NUM_LONG)
    right = [True, False] * (NUM_LONG // 2)
    print(f"closed loop of {K}")
    compare(little(flights, right), partial(ways, draw))
    mean_tokens = float(np.mean([flight.num_tokens for flight in flights]))
    for load in LOADS:
        long = queued(draw, NUM_LONG, load=load, mean_tokens=mean_tokens)
        print(f"\nPoisson arrivals, load {load}, {NUM_PLACES} places")
        compare(arrivals(long, right), partial(ways_of_queue, draw, load=load, mean_tokens=mean_tokens))


if __name__ == "__main__":
    main()
