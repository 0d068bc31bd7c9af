"""A finished run, itself a replay perhaps, as a recording: each candidate with the call that drew it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tts_eval.engines.replay.recording import Recording, Sample
from tts_eval.model import Model
from tts_eval.records import Finish, Problem, Sampling
from tts_eval.requests import EngineFacts
from tts_eval.rundir.directory import RunDirectory
from tts_eval.spend import Call

Line = Mapping[str, Any]
TOKENS = ("num_prompt_tokens", "num_cached_tokens", "num_generated_tokens", "num_thinking_tokens")
COUNTS = (
    "num_preemptions",
    "num_drafts",
    "num_draft_tokens",
    "num_accepted_tokens",
    "num_reread_tokens",
    "num_pieces",
)
FILES = ("manifest.json", "summary.json", "problems.jsonl", "calls.jsonl")


def read_run(run: str) -> Recording:
    """Return the recording of a finished run; raises ValueError where its candidates are no such samples."""
    folder = Path(run).expanduser()
    for name in FILES:
        if not (folder / name).is_file():
            raise ValueError(f"engine.run={run}: no finished run is there ({name} is missing)")
    directory = RunDirectory(folder)
    manifest = directory.manifest()
    configured = {key: value for key, value in manifest.config["model"].items() if key != "_target_"}
    model = Model(**configured | msgspec.structs.asdict(manifest.markers))  # as they were found
    lines = {line["problem_id"]: line for line in directory.lines("problems")}
    calls: dict[str, list[Line]] = {problem_id: [] for problem_id in lines}
    for call in directory.lines("calls"):
        line = lines.get(call["problem_id"])
        if line is not None and line["session"] == call["session"]:
            calls[call["problem_id"]].append(call)
    samples = {problem_id: _samples(run, line, calls[problem_id]) for problem_id, line in lines.items()}
    engine = manifest.sessions[-1].engine
    return Recording(
        source=str(folder),
        task=manifest.task,
        model=model,
        problems=tuple(
            Problem(problem_id, problem_id, line["gold"], line["level"]) for problem_id, line in lines.items()
        ),
        samples=samples,
        fingerprint=manifest.problems,
        sampling=_replayed_sampling(engine)
        if manifest.is_replay
        else _sampling(model, manifest.config["strategy"]),
        architecture=manifest.architecture,
        role_architectures=manifest.role_architectures,
        drafting=manifest.drafting,
        unknown=_unknown(samples, calls)
        | set(engine.settings["unknown_tokens"] if manifest.is_replay else ()),
        max_model_len=engine.max_model_len,
    )


def _samples(run: str, line: Line, calls: Sequence[Line]) -> tuple[Sample, ...]:
    """Match the candidates of a problem with the calls that drew them, one by one, and with their scoring."""
    candidates = line["attempt"]["candidates"] if line["attempt"] else ()
    if not candidates:
        raise ValueError(f"engine.run={run}: problem {line['problem_id']} has no candidates to replay")
    drawn = [call for call in calls if call["role"] == "policy" and call.get("about") is None]
    drawn.sort(key=lambda call: int(call["number"]))
    same_tokens = [c["num_tokens"] for c in candidates] == [c["num_generated_tokens"] for c in drawn]
    same_prompt = len({call["num_prompt_tokens"] for call in drawn}) == 1
    if not (same_tokens and same_prompt):
        raise ValueError(
            f"engine.run={run}: its candidates are no independent samples (problem {line['problem_id']} has "
            f"{len(candidates)} from {len(drawn)} calls): a search is never replayed, run it at each budget"
        )
    scoring: dict[str, list[Call]] = defaultdict(list)  # equal texts were scored together
    text_of = {call["number"]: candidate["text"] for call, candidate in zip(drawn, candidates, strict=True)}
    for call in calls:
        if call.get("about") in text_of:
            scoring[text_of[call["about"]]].append(_recorded(call))
    return tuple(
        Sample(
            text=candidate["text"],
            finish=candidate["finish"] and Finish(candidate["finish"]),
            num_tokens=candidate["num_tokens"],
            num_prompt_tokens=call["num_prompt_tokens"],
            num_cached_tokens=call["num_cached_tokens"],
            **{name: call[name] for name in COUNTS if name in call},
            score=candidate["score"],
            step_scores=None if candidate["step_scores"] is None else tuple(candidate["step_scores"]),
            scoring=tuple(scoring[candidate["text"]]),
            is_correct=candidate.get("is_correct"),
        )
        for candidate, call in zip(candidates, drawn, strict=True)
    )


def _recorded(line: Line) -> Call:
    """Return a call as it was, but for its times; a count that a replay did not know stays unsaid."""
    counts = {name: line[name] for name in (*TOKENS, *COUNTS) if line.get(name) is not None}
    return Call(
        problem_id=line["problem_id"],
        number=line["number"],
        role=line["role"],
        seed=line["seed"],
        finish=Finish(line["finish"]),
        submitted_s=0.0,
        finished_s=0.0,
        **counts,
    )


def _unknown(samples: Mapping[str, Sequence[Sample]], calls: Mapping[str, Sequence[Line]]) -> frozenset[str]:
    """Return the kinds of tokens of roles whose calls cannot be assigned to samples.

    Such a role made calls that scored no sample, or it scored some samples and others with no call of theirs
    (a trace that was the beginning of another one).
    """
    unknown = set()
    for problem_id, mine in calls.items():
        roles = {call["role"] for call in mine if call["role"] != "policy"}
        about_none = {call["role"] for call in mine if call.get("about") is None} - {"policy"}
        is_shared = any(sample.step_scores and not sample.scoring for sample in samples[problem_id])
        unknown |= roles if is_shared else about_none
    return frozenset("verifier" if role == "verifier" else "draft" for role in unknown)


def _sampling(model: Model, strategy: Line) -> Sampling:
    """Return how the samples were drawn: as the strategy says, or the one that casts its ballots."""
    drawing = strategy.get("sampler") or strategy
    return model.sampling.override(temperature=drawing.get("temperature"), top_p=drawing.get("top_p"))


def _replayed_sampling(engine: EngineFacts) -> Sampling | None:
    recorded = engine.settings["sampling"]
    return None if recorded is None else Sampling(**recorded)
