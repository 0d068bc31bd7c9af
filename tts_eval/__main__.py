"""`python -m tts_eval`: one run, a sweep with -m, or `resume=DIR`.

Hydra only declares the cells; they are all checked before the first engine starts, and run together
afterwards so that equal engine settings share an engine.
"""

from __future__ import annotations

import os
import sys

from tts_eval.command.streams import outlive_the_terminal

if __name__ == "__main__":
    outlive_the_terminal()
    from tts_eval.command.launch import launch

    os.environ["HYDRA_FULL_ERROR"] = "1"  # let Hydra's exceptions through, to be printed in one line
    sys.exit(launch(sys.argv[1:]))
