"""Grading of mathematical answers: found in a text, compared with the gold answer, grouped for a vote."""
