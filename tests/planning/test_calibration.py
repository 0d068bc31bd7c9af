"""Constants found again from runs of a machine whose constants are known, and errors told as they are."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from tests.planning.nodes import hardware_named
from tests.planning.runs import TRUTH, facts, played
from tests.rundir.manifests import start
from tts_eval.grading.grade import Grade, Verdict
from tts_eval.planning.calibration import ASSUMED, START, Calibration, calibrate, observations
from tts_eval.planning.calibration_table import calibration_rows, print_calibration
from tts_eval.planning.recorded import ENGINE_SETTINGS, RecordedRun, read_runs
from tts_eval.planning.timings import Timings
from tts_eval.planning.workload import Workload
from tts_eval.records import Attempt
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.outcome import Outcome
from tts_eval.spend import CriticalPath, Spend


def workload(num_problems: int, length: int, *, seed: int = 0, samples: int = 1) -> Workload:
    return Workload(
        num_problems=num_problems,
        prompt_tokens=12,
        reasoning_tokens=length,
        length_sigma=0.4,
        max_tokens=900,
        samples=samples,
        seed=seed,
    )


def sweep(timings: Timings = TRUTH) -> list[RecordedRun]:
    """Two runs of each regime."""
    runs = []
    for seed, length in enumerate((100, 400)):
        runs += [
            played(f"single-{length}", workload(8, length, seed=seed).jobs(), in_flight=1, timings=timings),
            played(
                f"batched-{length}", workload(80, length, seed=seed).jobs(), in_flight=24, timings=timings
            ),
            played(
                f"saturated-{length}",
                workload(60, length, seed=seed, samples=2).jobs(),
                in_flight=32,
                max_num_seqs=16,
                timings=timings,
            ),
            played(
                f"preempting-{length}",
                workload(60, length, seed=seed).jobs(),
                in_flight=40,
                num_blocks=12 * length // 32,
                timings=timings,
            ),
        ]
    return runs


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return calibrate(sweep(), Timings.of(hardware_named("cpu"), assumed=START | ASSUMED))


def test_regimes_are_told_apart() -> None:
    assert [run.regime for run in sweep()] == ["single stream", "batched", "saturated", "preempting"] * 2


def test_the_constants_of_the_machine_are_found_again(calibration: Calibration) -> None:
    """Reading the weights takes the same time every step: bandwidth and host are told apart by the cache."""
    assert calibration.fitted["host_step_us"] == pytest.approx(TRUTH.host_step_us, rel=0.06)
    assert calibration.fitted["host_sequence_us"] == pytest.approx(TRUTH.host_sequence_us, rel=0.1)
    assert calibration.fitted["bandwidth_gb_per_s"] == pytest.approx(TRUTH.bandwidth_gb_per_s, rel=0.25)


def test_runs_that_the_fit_has_not_seen_are_predicted(calibration: Calibration) -> None:
    assert [check.is_held_out for check in calibration.checks] == [False] * 3 + [True] * 5
    for regime in ("single stream", "batched", "saturated", "preempting"):
        for figure in ("generated_tokens_per_s", "tta_p50_s", "tpot_s"):
            error = calibration.mean_absolute_error(regime, figure, held_out=True)
            assert error is not None and error < 0.05, (regime, figure)


def test_a_machine_that_does_something_else_meanwhile_is_not_hidden(calibration: Calibration) -> None:
    """Held-out runs that took twice as long show as errors of a half, whatever the fit."""
    slow = replace(TRUTH, host_step_us=5000, host_sequence_us=120, bandwidth_gb_per_s=2)
    runs = [*sweep()[:4], *sweep(slow)[4:]]

    found = calibrate(runs, Timings.of(hardware_named("cpu"), assumed=START | ASSUMED))

    error = found.mean_absolute_error("single stream", "generated_tokens_per_s", held_out=True)
    assert error == pytest.approx(1.0, abs=0.1)  # modelled twice as fast as measured
    seen = found.mean_absolute_error("single stream", "generated_tokens_per_s", held_out=False)
    assert seen is not None and seen < 0.05  # fitted to the quick ones
    assert calibration.mean_absolute_error("nothing", "tpot_s", held_out=True) is None


def test_errors_are_printed_by_regime_and_kept_by_run(calibration: Calibration) -> None:
    console = Console(record=True, width=160, file=StringIO())
    print_calibration(calibration, console=console)
    text = console.export_text()

    assert "host_step_us" in text
    for regime in ("single stream", "batched", "saturated", "preempting"):
        assert f"{regime}, held out" in text
        assert (f"{regime}, fitted" in text) is (regime != "preempting")
    rows = calibration_rows(calibration)
    assert len(rows) == 8
    assert rows[-1]["num_preemptions_measured"] > 0


def test_what_ran_beside_a_call_is_taken_from_the_others() -> None:
    """Two equal calls at once: each decodes beside the other all along."""
    run = played("two", [*Workload(num_problems=2, prompt_tokens=10, reasoning_tokens=101).jobs()])

    one, other = observations(run.calls)

    assert one == other
    assert (one.num_steps, one.num_decoding) == (100, 2.0)
    assert one.num_context_tokens == pytest.approx(2 * (10 + 101 / 2), rel=0.01)
    weights_us = 3.2e6 / 4e9 * 1e6
    assert one.seconds == pytest.approx(100 * (2500 + 2 * 60 + weights_us) * 1e-6, rel=0.03)


def test_one_run_cannot_check_itself() -> None:
    with pytest.raises(ValueError, match="needs at least 2 runs, one to fit and one to check; found 1"):
        calibrate(sweep()[:1], TRUTH)


def test_a_problems_calls_are_taken_apart_into_rounds() -> None:
    """Two samples, then one that needed both: on disk there are only times."""
    tree = Workload(num_problems=3, prompt_tokens=20, reasoning_tokens=60, samples=2, rounds=3)
    run = played("tree", tree.jobs(), in_flight=2)

    assert [job.rounds for job in run.jobs] == [job.rounds for job in tree.jobs()]


def written(folder: Path, run: RecordedRun) -> Path:
    """Write `run` as the run loop would."""
    directory = RunDirectory(folder / run.name)
    directory.open()
    directory.write_manifest(run.manifest)
    directory.write("summary.json", run.summary)
    for name, span in run.spans.items():
        nothing = dict.fromkeys((field.name for field in fields(Spend)), 0)
        path = CriticalPath(*(0.0 for _ in fields(CriticalPath)))
        times = {"arrived_s": span.arrived_s, "finished_s": span.finished_s}
        spend = Spend(**{**nothing, **times, "critical_path": path, "by_role": {}})  # type: ignore[arg-type]
        outcome = Outcome(name, 1, "1", 0, Attempt("1", ()), Grade(Verdict.EQUAL, ""), spend)
        directory.append(outcome, [call for call in run.calls if call.problem_id == name])
    return directory.path


TOLD = start(engine=facts(dict.fromkeys(ENGINE_SETTINGS)))


def test_runs_are_read_from_their_folders(tmp_path: Path) -> None:
    run = sweep()[1]
    written(tmp_path, run)

    [read] = read_runs(tmp_path)

    assert read.name == run.name
    assert read.jobs == run.jobs
    assert read.in_flight == 24
    assert read.node(TRUTH) == run.node(TRUTH)
    assert [asdict(call) for call in read.calls] == [asdict(call) for call in run.calls]


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("schema_version", 1, "was written under schema 1; only"),
        ("provenance", "replayed", "is replayed: only measured runs have times of their own"),
        ("architecture", None, "is a run of a model whose sizes could not be read"),
        ("sessions", [start(engine=facts({}))], "ran on an engine that does not state its block_size, "),
        ("sessions", [TOLD, TOLD], "was resumed: its times lie on several clocks"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(
    tmp_path: Path, key: str, value: object, complaint: str
) -> None:
    run = sweep()[0]
    written(tmp_path, replace(run, manifest=msgspec.structs.replace(run.manifest, **{key: value})))

    with pytest.raises(ValueError, match=complaint):
        read_runs(tmp_path)


def test_runs_with_calls_of_other_models_are_refused(tmp_path: Path) -> None:
    run = sweep()[0]
    calls = [replace(call, role="verifier") if call.number == 0 else call for call in run.calls]
    written(tmp_path, replace(run, calls=calls))

    with pytest.raises(ValueError, match="has calls of verifier; only the policy is modelled"):
        read_runs(tmp_path)


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no finished run"):
        read_runs(tmp_path)
