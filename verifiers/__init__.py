"""Verifiers: each file one way of scoring traces without the gold answer."""
