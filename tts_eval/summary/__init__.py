"""The figures of a run, one topic a file: formula and figure together."""
