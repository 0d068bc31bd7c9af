"""Constants fitted to measured runs, and how far the planner is off on runs that the fit has not seen.

Four constants are fitted, all else stays as the hardware's file has it: the host's time a step, a sequence
and a request, and the memory's bandwidth. A call's decoding time is one observation; what ran beside it is
taken from the other calls' times. Where calls were preempted these times do not say when they ran, so such
runs are checked and never fitted to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from tts_eval.planning.model import PlannedModel
from tts_eval.planning.recorded import REGIMES, RecordedRun
from tts_eval.planning.serving import step_time
from tts_eval.planning.step_time import Batch
from tts_eval.planning.timings import Timings
from tts_eval.spend import Call

START = {  # of the fit, and of speeds that the hardware's file does not know
    "host_step_us": 1000.0,
    "host_sequence_us": 30.0,
    "host_request_us": 300.0,
    "bandwidth_gb_per_s": 10.0,
}
ASSUMED = {"bf16_tflops": 1.0}  # not fitted: where only the host and memory bind, it does not show
MAX_OBSERVATIONS = 150  # of each run, evenly picked
NUM_MOMENTS = 8  # of a call's decoding at which its neighbours are counted
FIGURES = ("generated_tokens_per_s", "tta_p50_s", "tpot_s", "num_preemptions")


@dataclass(frozen=True, slots=True)
class Observation:
    """One call's decoding: its steps and seconds, the mean batch beside it, and prompts that came between."""

    num_steps: int
    seconds: float
    num_decoding: float
    num_context_tokens: float
    num_admitted: int
    prefill_tokens: float


@dataclass(frozen=True, slots=True)
class Check:
    """One run as measured and as modelled; `is_held_out` says that the fit has not seen it."""

    name: str
    regime: str
    is_held_out: bool
    measured: Mapping[str, float]
    modelled: Mapping[str, float]

    def error(self, figure: str) -> float | None:
        """Return (modelled - measured) / measured; None where nothing was measured to divide by."""
        measured = self.measured[figure]
        return (self.modelled[figure] - measured) / measured if measured else None


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted constants and what they are worth, run by run."""

    fitted: Mapping[str, float]
    timings: Timings
    num_observations: int
    checks: Sequence[Check]

    def mean_absolute_error(self, regime: str, figure: str, *, held_out: bool) -> float | None:
        """Return the mean |error| over the runs of a regime, None without any."""
        errors = [
            abs(error)
            for check in self.checks
            if check.regime == regime and check.is_held_out is held_out
            if (error := check.error(figure)) is not None
        ]
        return float(np.mean(errors)) if errors else None


def calibrate(runs: Sequence[RecordedRun], base: Timings) -> Calibration:
    """Fit to every other run of each regime, and simulate all of them.

    Raises:
        ValueError: Fewer than two runs, so that none would be held out, or none that can be fitted to.
    """
    if len(runs) < 2:
        raise ValueError(
            f"a calibration needs at least 2 runs, one to fit and one to check; found {len(runs)}"
        )
    held_out = _held_out(runs)
    seen = [run for run, out in zip(runs, held_out, strict=True) if not out]
    observed = [(run, observation) for run in seen for observation in observations(run.calls)]
    if not observed:
        raise ValueError("no call in the runs to be fitted has a decoding time of its own")
    fitted = _fit(observed, base)
    timings = base.with_values(fitted)
    checks = [check(run, timings, is_held_out=out) for run, out in zip(runs, held_out, strict=True)]
    return Calibration(fitted, timings, len(observed), checks)


def observations(calls: Sequence[Call]) -> list[Observation]:
    """Return what the calls show of decoding; those that were preempted show nothing certain."""
    known = [c for c in calls if c.decode_s and c.prefill_s is not None and c.queue_s is not None]
    if not known:
        return []
    scheduled_s = np.array([c.submitted_s + (c.queue_s or 0.0) for c in known])
    first_s = scheduled_s + np.array([c.prefill_s or 0.0 for c in known])
    decode_s = np.array([c.decode_s or 0.0 for c in known])
    prompts = np.array([c.num_prompt_tokens for c in known], float)
    generated = np.array([c.num_generated_tokens for c in known], float)
    new_tokens = prompts - np.array([c.num_cached_tokens for c in known], float)
    usable = [i for i, c in enumerate(known) if c.num_generated_tokens > 1 and not c.num_preemptions]
    every = max(1, len(usable) // MAX_OBSERVATIONS)
    found = []
    for i in usable[::every]:
        moments = first_s[i] + decode_s[i] * (np.arange(NUM_MOMENTS) + 0.5) / NUM_MOMENTS
        progress = (moments[:, None] - first_s) / decode_s
        runs_then = (progress >= 0) & (progress < 1)
        contexts = np.where(runs_then, prompts + generated * progress, 0.0)
        came = (scheduled_s >= first_s[i]) & (scheduled_s < first_s[i] + decode_s[i])
        found.append(
            Observation(
                num_steps=known[i].num_generated_tokens - 1,
                seconds=float(decode_s[i]),
                num_decoding=float(runs_then.sum(axis=1).mean()),
                num_context_tokens=float(contexts.sum(axis=1).mean()),
                num_admitted=int(came.sum()),
                prefill_tokens=float(new_tokens[came].mean()) if came.any() else 0.0,
            )
        )
    return found


def check(run: RecordedRun, timings: Timings, *, is_held_out: bool) -> Check:
    """Simulate `run` as it arrived and set the figures beside those measured."""
    model = PlannedModel.on(run.node(timings), run.plan)
    simulated = model.simulate(run.jobs, in_flight=run.in_flight)
    throughput = run.summary.throughput
    assert throughput is not None and throughput.generated_tokens_per_s is not None, "the run was measured"
    measured = {
        "generated_tokens_per_s": throughput.generated_tokens_per_s,
        "tta_p50_s": float(np.median([s.finished_s - s.arrived_s for s in run.spans.values()])),
        "tpot_s": _mean(
            [
                c.decode_s / (c.num_generated_tokens - 1)
                for c in run.calls
                if c.decode_s and c.num_generated_tokens > 1
            ]
        ),
        "num_preemptions": float(run.num_preemptions),
    }
    requests = [request for job in simulated.requests for request in job]
    modelled = {
        "generated_tokens_per_s": simulated.generated_tokens_per_s,
        "tta_p50_s": float(np.median(simulated.tta_s)),
        "tpot_s": _mean(
            [
                (r.finished_s - r.first_token_s) / (r.num_generated - 1)
                for r in requests
                if r.finished_s is not None and r.first_token_s is not None and r.num_generated > 1
            ]
        ),
        "num_preemptions": float(simulated.num_preemptions),
    }
    return Check(run.name, run.regime, is_held_out, measured, modelled)


def _held_out(runs: Sequence[RecordedRun]) -> list[bool]:
    """Hold out every second run of each regime; of a regime with one run, that one; all that preempted."""
    held = [run.regime == "preempting" for run in runs]
    for regime in REGIMES:
        members = [i for i, run in enumerate(runs) if run.regime == regime and not held[i]]
        for i in members[1::2] or members:
            held[i] = True
    if all(held):
        held[next((i for i, run in enumerate(runs) if run.regime != "preempting"), 0)] = False
    return held


def _fit(observed: Sequence[tuple[RecordedRun, Observation]], base: Timings) -> dict[str, float]:
    """Return the constants that bring modelled decoding times closest, as logarithms of ratios.

    Outliers (a machine that does something else for a moment) count linearly (soft L1).
    """
    names = list(START)

    def residuals(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        timings = base.with_values(dict(zip(names, np.exp(logs).tolist(), strict=True)))
        models: dict[int, PlannedModel] = {}
        ratios = []
        for run, seen in observed:
            model = models.get(id(run))
            if model is None:
                model = models[id(run)] = PlannedModel.on(run.node(timings), run.plan)
            ratios.append(_decode_seconds(model, seen) / seen.seconds)
        return np.log(ratios)

    start = np.log([START[name] for name in names])
    bounds = (start - np.log(1e4), start + np.log(1e4))
    result = least_squares(residuals, start, bounds=bounds, loss="soft_l1", f_scale=0.1)
    return dict(zip(names, np.exp(result.x).tolist(), strict=True))


def _decode_seconds(model: PlannedModel, seen: Observation) -> float:
    """Return the modelled seconds of one call's decoding: its steps, and the prompts that came between."""
    share = 1 / model.plan.num_engines
    batch = Batch(max(1.0, seen.num_decoding * share), seen.num_context_tokens * share)
    step_s = step_time(model.step_model, batch, model.serving).total_s
    seconds = seen.num_steps * step_s
    if seen.num_admitted:
        tokens = seen.prefill_tokens
        with_prompt = replace(
            batch, num_prefill_tokens=tokens, num_prefill_pairs=tokens**2 / 2, num_admitted=1
        )
        longer_s = step_time(model.step_model, with_prompt, model.serving).total_s - step_s
        seconds += seen.num_admitted * share * longer_s
    return seconds


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
