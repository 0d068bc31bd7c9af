"""Frontiers: which cell to deploy, and what it costs to choose by the wrong axis."""
