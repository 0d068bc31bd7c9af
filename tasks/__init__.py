"""Tasks: each file one benchmark."""
