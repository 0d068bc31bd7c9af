"""Auditing: whether the figures of a run add up, from its files alone."""
