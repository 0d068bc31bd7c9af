"""Begin a strategy, a verifier or a task: its module, its YAML and a test, which pass as they are.

They are written into this checkout or, with --package, into a package of your own. No file is overwritten.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tts_eval.command.scaffold import KINDS, checkout, package, scaffold


def main(arguments: Sequence[str]) -> int:
    """Write the files and list them; 1 with one line of why where they cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m tts_eval.new", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("name", help="in lower case, as in shortest_vote: its class is then ShortestVote")
    parser.add_argument("--package", type=Path, metavar="DIR", help="the folder of a package of your own")
    options = parser.parse_args(arguments)
    try:
        home = checkout(options.kind) if options.package is None else package(options.kind, options.package)
        print(scaffold(options.kind, options.name, home))
    except (ValueError, OSError) as error:
        print(f"tts_eval.new: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
