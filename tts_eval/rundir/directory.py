"""A run on disk: append-only lines that survive a kill or a full disk, and two small documents.

Killed at any moment, the files hold whole lines but for at most the last one, which the next start drops.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from tts_eval.measuring.machine import MachineReading
from tts_eval.requests import Gauges
from tts_eval.rundir import json_lines
from tts_eval.rundir.json_lines import NotKept
from tts_eval.rundir.manifest import Manifest
from tts_eval.rundir.outcome import Fill, Outcome
from tts_eval.rundir.replayed import refilled, untimed
from tts_eval.rundir.schema import Document, decode, encode
from tts_eval.spend import Call

MANIFEST = "manifest.json"
ERRORS = "errors.txt"


class _Place(msgspec.Struct):
    """What a line of calls.jsonl or gauges.jsonl has beside its record."""

    session: int
    at_s: float = 0.0


_PLACES = msgspec.json.Decoder(_Place)
_CALLS = msgspec.json.Decoder(Call)
_FILLS = msgspec.json.Decoder(Fill)
_GAUGES = msgspec.json.Decoder(Gauges)
_READINGS = msgspec.json.Decoder(MachineReading)


@dataclass(frozen=True)
class RunDirectory:
    """The folder of one run; `path` need not exist yet."""

    path: Path

    def open(self) -> None:
        """Make the folder if need be, and drop a torn last line of each file."""
        self.path.mkdir(parents=True, exist_ok=True)
        for name in ("problems", "calls", "fill", "gauges"):
            json_lines.drop_torn_line(self.path / f"{name}.jsonl")

    def append(self, outcome: Outcome, calls: Sequence[Call]) -> None:
        """Keep a finished problem. Its calls go first: calls without their problem do not count.

        Raises NotKept where the disk does not take them.
        """
        json_lines.append(
            self.path / "calls.jsonl", [{"session": outcome.session, **_fields(c)} for c in calls]
        )
        json_lines.append(self.path / "problems.jsonl", [outcome])

    def append_fill(self, fill: Fill, calls: Sequence[Call]) -> None:
        """Keep when an unmeasured problem was in flight, and its calls; raises NotKept as `append`."""
        json_lines.append(self.path / "calls.jsonl", [{"session": fill.session, **_fields(c)} for c in calls])
        json_lines.append(self.path / "fill.jsonl", [fill])

    def append_untimed(
        self, outcome: Outcome, calls: Sequence[Call], *, unknown_tokens: Collection[str]
    ) -> None:
        """Keep a finished problem of a replay, without times and without counts that were not recorded."""
        lines = [
            {"session": outcome.session, **untimed(call, unknown_tokens=unknown_tokens)} for call in calls
        ]
        json_lines.append(self.path / "calls.jsonl", lines)
        json_lines.append(self.path / "problems.jsonl", [untimed(outcome, unknown_tokens=unknown_tokens)])

    def append_error(self, problem_id: str, text: str) -> None:
        """Keep the traceback of a problem that failed."""
        json_lines.append_text(self.path / ERRORS, f"problem {problem_id}\n{text}\n".encode())

    def append_gauges(self, gauges: Gauges, machine: MachineReading, *, session: int, at_s: float) -> None:
        """Keep what the engine and its machine showed at `at_s`."""
        shown = {**_fields(gauges), **_fields(machine)}
        json_lines.append(self.path / "gauges.jsonl", [{"session": session, "at_s": at_s, **shown}])

    def outcomes(self) -> list[Outcome]:
        """Return the finished problems, each once."""
        return list({outcome.problem_id: outcome for outcome in self.all_outcomes()}.values())

    def all_outcomes(self) -> list[Outcome]:
        """Return what each line of problems.jsonl holds."""
        return [Outcome.from_json(line) for line in self.lines("problems")]

    def fills(self) -> list[Fill]:
        """Return the unmeasured problems."""
        return _FILLS.decode_lines(self.whole_lines("fill"))

    def calls(self, outcomes: Sequence[Outcome] | Sequence[Fill]) -> list[Call]:
        """Return the calls that belong to `outcomes`; those of problems cut off do not count."""
        return self.calls_of({outcome.problem_id: outcome.session for outcome in outcomes})

    def calls_of(self, sessions: Mapping[str, int]) -> list[Call]:
        """Return the calls of problems in the sessions that finished them: there may be millions."""
        return [call for session, call in self.all_calls() if sessions.get(call.problem_id) == session]

    def all_calls(self) -> list[tuple[int, Call]]:
        """Return every call with its session, those of fill and of problems that were cut off too."""
        text = self.whole_lines("calls")
        try:
            calls = _CALLS.decode_lines(text)
        except msgspec.ValidationError:  # a replay has null for what was not recorded
            calls = [msgspec.convert(refilled(Call, line), Call) for line in self.lines("calls")]
        return [(place.session, call) for place, call in zip(_PLACES.decode_lines(text), calls, strict=True)]

    def gauges(self) -> list[tuple[int, Gauges]]:
        """Return the engine's gauges in order, each with its session."""
        text = self.whole_lines("gauges")
        places, gauges = _PLACES.decode_lines(text), _GAUGES.decode_lines(text)
        return [(place.session, each) for place, each in zip(places, gauges, strict=True)]

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """Read the lines of `name`.jsonl as they stand; problems that were cut off are among them."""
        return json_lines.read_lines(self.path / f"{name}.jsonl")

    def whole_lines(self, name: str) -> bytes:
        """Return `name`.jsonl without torn lines, left by a kill."""
        return json_lines.whole_lines(self.path / f"{name}.jsonl")

    def machine(self) -> list[tuple[int, float, MachineReading]]:
        """Return what the machine showed in order, each with its session and when."""
        text = self.whole_lines("gauges")
        places, readings = _PLACES.decode_lines(text), _READINGS.decode_lines(text)
        return [(place.session, place.at_s, each) for place, each in zip(places, readings, strict=True)]

    def write_manifest(self, manifest: Manifest) -> None:
        """Write manifest.json whole, or raise NotKept and leave it as it was."""
        self.write(MANIFEST, manifest)

    def write(self, name: str, document: msgspec.Struct) -> None:
        """Write `name` whole, or raise NotKept and leave it as it was."""
        target, draft = self.path / name, self.path / f".{name}.tmp"
        try:
            draft.write_bytes(encode(document))
            os.replace(draft, target)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise NotKept(target, error) from error

    def read(self, name: str, kind: type[Document]) -> Document | None:
        """Read a document back, None where it has not been written; ValueError if it is of another schema."""
        file = self.path / name
        return decode(file, kind) if file.is_file() else None

    def found_manifest(self) -> Manifest | None:
        """Read manifest.json, None where no run has begun; ValueError if it is of another schema."""
        return self.read(MANIFEST, Manifest)

    def manifest(self) -> Manifest:
        """Read manifest.json; ValueError where there is no run, or one of another schema."""
        manifest = self.found_manifest()
        if manifest is None:
            raise ValueError(f"{self.path}: no run is there (a run has manifest.json)")
        return manifest


def _fields(record: Call | Gauges | MachineReading) -> dict[str, object]:
    """Return a flat record as a dict; `asdict` would copy every value."""
    return {field.name: getattr(record, field.name) for field in fields(record)}
