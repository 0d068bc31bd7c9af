"""Which run a summary is of, and what its figures may be taken for."""

from __future__ import annotations

from tts_eval.rundir.manifest import Manifest
from tts_eval.rundir.topic import Topic


class About(Topic, frozen=True, kw_only=True):
    """A run's labels, and what its figures may be taken for.

    With `is_synthetic` drafts were accepted by chance; `is_seeded` says whether the same samples can be drawn
    again. A replay draws none: its `is_seeded`, `speculation` and `load` are None.
    """

    provenance: str
    is_synthetic: bool
    is_seeded: bool | None
    name: str
    model: str
    task: str
    strategy: str | None
    verifier: str | None
    engine: str | None
    speculation: str | None
    load: str | None


def about(manifest: Manifest) -> About:
    """Return what `manifest` says of its run."""
    engines = [start.engine for start in manifest.sessions]
    labels, is_replay = manifest.labels, manifest.is_replay
    return About(
        provenance=manifest.provenance,
        is_synthetic=any(engine.is_synthetic for engine in engines),
        is_seeded=None if is_replay else all(engine.is_seeded for engine in engines),
        name=manifest.name,
        model=manifest.model,
        task=manifest.task,
        strategy=labels.get("strategy"),
        verifier=labels.get("verifier"),
        engine=labels.get("engine"),
        speculation=None if is_replay else labels.get("speculation"),
        load=None if is_replay else labels.get("load"),
    )
