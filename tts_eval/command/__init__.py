"""The command line: from a composed configuration to cells that can run, and what a user sees."""
