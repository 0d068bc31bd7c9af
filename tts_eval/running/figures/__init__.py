"""The figures of a summary, a file a kind; each knows only the records it is computed from."""
