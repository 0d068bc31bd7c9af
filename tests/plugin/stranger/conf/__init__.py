"""Hydra finds configuration in packages only."""
