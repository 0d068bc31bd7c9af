"""How often the other 95% intervals hold the truth: `python -m benchmarks.coverage_kinds`.

Quantiles, times in a queue, costs over runs and problems, regret, rank correlation, classification, fits.
Each line is a kind of interval in its world: in how many trials there was one, and how many of these held.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import NormalDist

import numpy as np

from benchmarks.null_regret import world
from tts_eval.analysis.agreement import agreement
from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.analysis.frontier import frontier
from tts_eval.analysis.regret import regret
from tts_eval.statistics.bootstrap import Floats, resamples
from tts_eval.statistics.classification import (
    Statistic,
    estimate,
    precision_of_wrong,
    recall_of_wrong,
    roc_auc,
)
from tts_eval.statistics.intervals import mean_ci95, ratio_ci95
from tts_eval.statistics.posterior import new_problems_posterior
from tts_eval.statistics.quantiles import quantile_ci95
from tts_eval.statistics.scaling import fit_log_linear, fit_saturating
from tts_eval.statistics.series import series_mean_ci95

Ends = tuple[float | None, float | None]
Outcome = tuple[Ends | None, float]  # an interval, None where there is none, and the truth

NUM_TRIALS = 400
NUM_OF_NAIVE, NUM_OF_SERIES, NUM_OF_FITS, NUM_OF_TRACES = 200, 30, 600, 400  # these take longer
NUM_OF_CELLS = 50  # trials of a whole set of runs each, of eight cells
EXCESS = 0.3
RUNAWAY_SHARE, RUNAWAY_TIMES = 0.02, 20.0


def with_runaways(random: np.random.Generator, n: int) -> Floats:
    """Return log-normal costs of which one of fifty is twenty times as large."""
    costs = random.lognormal(size=n)
    return np.asarray(np.where(random.random(n) < RUNAWAY_SHARE, RUNAWAY_TIMES * costs, costs))


def queue(random: np.random.Generator, n: int, *, utilization: float, num_servers: int = 8) -> Floats:
    """Return the times in the system of n Poisson arrivals at servers that were empty at first."""
    free_s, now_s = np.zeros(num_servers), 0.0
    gaps_s, services_s = random.exponential(1 / (utilization * num_servers), n), random.exponential(1.0, n)
    times_s = np.empty(n)
    for i in range(n):
        now_s += gaps_s[i]
        server = int(free_s.argmin())
        free_s[server] = max(free_s[server], now_s) + services_s[i]
        times_s[i] = free_s[server] - now_s
    return times_s


def mean_in_queue(utilization: float, num_servers: int = 8) -> float:
    """Return the long-run mean time in the system (Erlang's C; the mean service takes 1 s)."""
    load = utilization * num_servers
    terms = [load**k / math.factorial(k) for k in range(num_servers)]
    all_busy = load**num_servers / math.factorial(num_servers) / (1 - utilization)
    return 1 + all_busy / (sum(terms) + all_busy) / (num_servers * (1 - utilization))


def of_costs(random: np.random.Generator) -> dict[str, tuple[int, Callable[[], list[Outcome]]]]:
    """Return the kinds that need one draw of costs a trial: by name the number of trials, and a trial."""
    mean, tail = math.exp(0.5), 1 - RUNAWAY_SHARE + RUNAWAY_SHARE * RUNAWAY_TIMES

    def quantile(n: int, q: float) -> Callable[[], list[Outcome]]:
        truth = math.exp(NormalDist().inv_cdf(q))
        return lambda: [(quantile_ci95(random.lognormal(size=n), q), truth)]

    def token_cost(n: int) -> list[Outcome]:
        tokens = random.lognormal(size=n)
        return [(ratio_ci95(tokens * random.lognormal(sigma=0.5, size=n), tokens), math.exp(0.125))]

    def queued(utilization: float, n: int) -> list[Outcome]:
        return [(series_mean_ci95(queue(random, n, utilization=utilization)), mean_in_queue(utilization))]

    def naive(utilization: float, n: int) -> list[Outcome]:
        return [(mean_ci95(queue(random, n, utilization=utilization)), mean_in_queue(utilization))]

    def jeffreys(n: int) -> list[Outcome]:
        return [(new_problems_posterior(int(random.binomial(n, 0.4)), n).ci95, 0.4)]

    def running_away(n: int) -> list[Outcome]:
        return [(mean_ci95(with_runaways(random, n)), mean * tail)]

    kinds: dict[str, tuple[int, Callable[[], list[Outcome]]]] = {}
    for n in (30, 100, 300):
        kinds[f"cost per token, {n} problems"] = NUM_TRIALS, partial(token_cost, n)
        kinds[f"Jeffreys' posterior, {n} problems"] = NUM_TRIALS, partial(jeffreys, n)
    for n in (100, 300, 1000):
        kinds[f"mean cost, runaways, {n} problems"] = (
            NUM_TRIALS,
            partial(running_away, n),
        )
    for q, n in ((0.5, 30), (0.5, 100), (0.5, 1000), (0.99, 30), (0.99, 100), (0.99, 200), (0.99, 1000)):
        kinds[f"p{100 * q:.0f}, {n} problems"] = NUM_TRIALS, quantile(n, q)
    for utilization, n in ((0.5, 100), (0.5, 10_000), (0.8, 100), (0.8, 10_000), (0.9, 100), (0.9, 10_000)):
        name = f"mean time, queue at {utilization}, {n} problems"
        kinds[name] = NUM_OF_SERIES, partial(queued, utilization, n)
        if n == 100:
            kinds[f"{name}, as if independent"] = NUM_OF_NAIVE, partial(naive, utilization, n)
    return kinds


def of_classification(random: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
    """Yield the intervals of one verifier on 100 traces of up to eight steps, some of them easier."""

    def draw(num_traces: int) -> tuple[list[Floats], list[Floats]]:
        scores, labels = [], []
        for length in random.integers(1, 9, num_traces):
            right = (random.random(length) < random.beta(4, 2)).astype(float)
            logit = 1.5 * (2 * right - 1) + random.normal() + random.normal(size=length)
            scores.append(1 / (1 + np.exp(-logit)))
            labels.append(right)
        return scores, labels

    many = [np.concatenate(part) for part in draw(100_000)]
    statistics: dict[str, Statistic] = {
        "ROC-AUC": roc_auc,
        "precision": precision_of_wrong(0.5),
        "recall": recall_of_wrong(0.5),
    }
    scores_of_many, labels_of_many = many
    ones = np.ones(len(scores_of_many))
    truths = {name: statistic(scores_of_many, labels_of_many, ones) for name, statistic in statistics.items()}
    for _ in range(NUM_OF_TRACES):
        scores, labels = draw(100)
        for name, statistic in statistics.items():
            yield f"{name} of steps, 100 traces", (estimate(statistic, scores, labels).ci95, truths[name])  # type: ignore[arg-type]


def of_fits(random: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
    """Yield the intervals of both fits over five budgets of 200 problems."""
    x = np.array([1.0, 2, 4, 8, 16])
    for _ in range(NUM_OF_FITS):
        ease = random.uniform(-0.2, 0.2, 200)[:, None]
        for name, truth in (("gain per doubling", 0.06), ("ceiling", 0.8)):
            chance = 0.4 + 0.06 * np.log2(x) if name == "gain per doubling" else 0.8 - 0.5 / x
            right = (random.random((200, 5)) < np.clip(chance + ease, 0, 1)).astype(float)
            resampled = resamples(200) @ right / 200
            accuracy = right.mean(axis=0)
            if name == "ceiling":
                interval = fit_saturating(x, accuracy, resampled, min_gain=0.01).ceiling.ci95
            else:
                interval = fit_log_linear(x, accuracy, resampled).gain_per_doubling.ci95
            yield f"{name}, 5 budgets, 200 problems", (interval, truth)


def of_cells(worlds: Sequence[Cells]) -> Iterator[tuple[str, Outcome]]:
    """Yield the intervals over problems and runs, of every cell.

    A regret's truth is what its choices save in the long run: nothing in the folds that keep the cell. Its
    lower end is held against the whole of what the other cell would save as well.
    """
    mean, tail = math.exp(0.36), math.exp(math.sqrt(0.72) * NormalDist().inv_cdf(0.99))
    for cells in worlds:
        for axis, truth in (("usd_per_problem", mean / 100), ("tta_s_p50", 1.0), ("tta_s_p99", tail)):
            for name, interval in zip(cells.names, cells.cost_intervals(axis_of(axis)), strict=True):
                yield f"{axis}, 3 runs", (interval, truth * _scale(name))
        table = regret(cells, compute="tokens_per_problem", system="usd_per_problem")
        for cell, row in table.iterrows():
            twin = f"{str(cell)[0]}b"
            if _is_dearer(cell) and row["system_cell"] in (cell, twin):
                whole = (_scale(cell) - _scale(twin)) * mean / 100
                truth = whole * (1 - row["share_kept"])
                yield "regret, 3 runs", ((row["regret_low"], row["regret_high"]), truth)
                yield "regret, 3 runs, lower end, the whole", ((row["regret_low"], None), whole)
        interval = agreement(cells, "tokens_per_problem", "usd_per_problem").ci95
        yield "Kendall's tau, 3 runs", (interval, 20 / 28)


def p_on_frontier(worlds: Sequence[Cells]) -> str:
    """Return, in words, how often cells of a stated `p_on_frontier` are on the true frontier."""
    tables = [frontier(cells, "usd_per_problem") for cells in worlds]
    shares = np.concatenate([table["p_on_frontier"] for table in tables])
    is_on = np.array([not _is_dearer(name) for table in tables for name in table.index])
    words = []
    for low, high in ((0.0, 0.2), (0.2, 0.8), (0.8, 1.01)):
        inside = (shares >= low) & (shares < high)
        words.append(f"[{low}, {min(high, 1.0)}]: {np.mean(is_on[inside]):.2f} of {inside.sum()}")
    return f"p_on_frontier, share truly on it: {'; '.join(words)}"


def _is_dearer(name: object) -> bool:
    return str(name).endswith("a")


def _scale(name: object) -> float:
    """Return how many times the cheapest cell's the costs of a cell of `null_regret.world` are."""
    return math.exp(0.7 * int(str(name)[0])) * (1 + EXCESS * _is_dearer(name))


def holds(interval: Ends, truth: float) -> bool:
    """Return whether the interval holds the truth; an end that is not known is as far off as can be."""
    low, high = interval
    return (low is None or low <= truth + 1e-12) and (high is None or truth - 1e-12 <= high)


def main() -> None:
    """Print a line a kind of interval."""
    random = np.random.default_rng(1)
    print(f"{'interval':<58}{'trials':>7}{'given':>7}{'holds':>7}")
    for name, (num_trials, trial) in of_costs(random).items():
        _print(name, [outcome for _ in range(num_trials) for outcome in trial()])
    worlds = [Cells.of(world(random, repeats=3, excess=EXCESS)) for _ in range(NUM_OF_CELLS)]
    seeded = np.random.default_rng
    for outcomes_of in (of_fits(seeded(2)), of_classification(seeded(3)), of_cells(worlds)):
        found: dict[str, list[Outcome]] = {}
        for name, outcome in outcomes_of:
            found.setdefault(name, []).append(outcome)
        for name, outcomes in found.items():
            _print(name, outcomes)
    print(p_on_frontier(worlds))


def _print(name: str, outcomes: list[Outcome]) -> None:
    given = [(interval, truth) for interval, truth in outcomes if interval is not None]
    share = f"{np.mean([holds(*one) for one in given]):.3f}" if given else "-"
    print(f"{name:<58}{len(outcomes):>7}{len(given) / len(outcomes):>7.2f}{share:>7}", flush=True)


if __name__ == "__main__":
    main()
