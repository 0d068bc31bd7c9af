"""Measuring: what each problem spent, and what that cost."""
