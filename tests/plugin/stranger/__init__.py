"""A stranger's package: a strategy of its own, found without a line of ours knowing it."""
