"""Benchmarks: what the framework itself costs, measured against the bare engine."""
