"""A ranking as files: plans.csv, a row a plan, and plan.json with the refusals and the constants.

Every row says that it is modelled; what is unknown is empty or null.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from tts_eval.planning.ranking import Band, Outlook, Ranking

Row = dict[str, Any]  # a line of a CSV file, by column: names, numbers, flags


def write_ranking(folder: Path, ranking: Ranking, facts: Mapping[str, Any]) -> None:
    """Write plans.csv and plan.json; `facts` are the model, the hardware and the constants planned with."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row_of(outlook) for outlook in ranking.outlooks]
    write_csv(folder / "plans.csv", rows)
    refused = [{"plan": refusal.plan.name, "reason": refusal.reason} for refusal in ranking.refusals]
    document = {"provenance": "modelled", **facts, "plans": rows, "refused": refused}
    write_json(folder / "plan.json", document)


def row_of(outlook: Outlook) -> Row:
    """Return an outlook as one flat row."""
    row: Row = {"provenance": "modelled", "plan": outlook.plan.name}
    row |= {name: degree for name, degree in asdict(outlook.plan).items()}
    for name in Outlook.__slots__:
        value = getattr(outlook, name)
        if isinstance(value, Band):
            row |= {name: value.stated, f"{name}_low": value.low, f"{name}_high": value.high}
        elif name != "plan":
            row[name] = value
    return row


def write_csv(file: Path, rows: Sequence[Row]) -> None:
    """Write rows that share their keys."""
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, list(rows[0]) if rows else ["provenance"])
        writer.writeheader()
        writer.writerows(rows)


def write_json(file: Path, document: Mapping[str, Any]) -> None:
    """Write a document, indented."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    file.write_bytes(orjson.dumps(document, option=options))
