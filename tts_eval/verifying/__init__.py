"""Verifying: what a strategy holds of the run's verifier, and what verifiers share."""
