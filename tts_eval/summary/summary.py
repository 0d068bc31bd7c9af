"""The figures of a run by topic: what summary.json holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tts_eval.rundir.schema import SCHEMA_VERSION
from tts_eval.summary.about import About
from tts_eval.summary.answers import Answers
from tts_eval.summary.by_role import ByRole
from tts_eval.summary.calls import CallTimes
from tts_eval.summary.cost_figures import CostFigures
from tts_eval.summary.energy_figures import Energy
from tts_eval.summary.fairness import Fairness
from tts_eval.summary.flops import Flops
from tts_eval.summary.gauges import GaugeFigures
from tts_eval.summary.goodput import Goodput
from tts_eval.summary.latency import Latency
from tts_eval.summary.lengths import Lengths
from tts_eval.summary.servers import Servers
from tts_eval.summary.sessions import SessionFigures
from tts_eval.summary.spent import Budgeted, Spent
from tts_eval.summary.throughput import Saturation, Steadiness, Throughput
from tts_eval.summary.utilization import Utilization

SUMMARY = "summary.json"


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a run by topic, in the order of summary.json (what each key means: docs/reference.md).

    A replay has no times, dollars or counters of an engine: the topics that hold them are None.
    """

    schema_version: int = SCHEMA_VERSION
    about: About
    answers: Answers
    budgeted: Budgeted
    spent: Spent
    latency: Latency | None = None
    calls: Mapping[str, CallTimes] | None = None
    servers: Servers | None = None
    lengths: Lengths | None = None
    throughput: Throughput | None = None
    steadiness: Steadiness | None = None
    saturation: Saturation | None = None
    goodput: Goodput | None = None
    flops: Flops
    cost: CostFigures | None = None
    energy: Energy | None = None
    by_role: ByRole | None = None
    fairness: Fairness | None = None
    gauges: GaugeFigures | None = None  # None too of a server without /metrics
    utilization: Utilization | None = None
    sessions: Sequence[SessionFigures] | None = None
    startup_s: float | None = None
    wall_s: float | None = None
    inconsistencies: Sequence[str] | None = None
