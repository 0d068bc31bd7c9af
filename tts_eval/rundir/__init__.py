"""A run on disk: its files, and the records they hold."""
