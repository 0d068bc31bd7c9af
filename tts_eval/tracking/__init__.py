"""Where a run reports itself while it goes on, beyond its own directory."""
