"""Strategies: each file one way of spending test-time compute."""
