"""`python -m tts_eval.audit RUN...`: whether the figures of runs add up, from their files alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tts_eval.auditing.run_audit import audit


def main(arguments: Sequence[str]) -> int:
    """Print what does not add up; 1 if there is anything, or a run that cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m tts_eval.audit", description=__doc__)
    parser.add_argument("directories", nargs="+", type=Path, metavar="RUN", help="runs, or folders of runs")
    options = parser.parse_args(arguments)
    is_clean = True
    for directory in options.directories:
        folders = sorted(file.parent for file in directory.rglob("manifest.json"))
        if not folders:
            print(f"{directory}: no run is there (a run has manifest.json)", file=sys.stderr)
            is_clean = False
        for folder in folders:
            is_clean &= _say(folder)
    return 0 if is_clean else 1


def _say(folder: Path) -> bool:
    try:
        faults, remarks = audit(folder)
    except (ValueError, KeyError, TypeError) as error:
        print(f"{folder}: cannot be read: {error!r}", file=sys.stderr)
        return False
    print(f"{folder}: {f'{len(faults)} figures do not add up' if faults else 'adds up'}")
    for line in faults:
        print(f"  {line}")
    for line in remarks:
        print(f"  ({line})")
    return not faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
