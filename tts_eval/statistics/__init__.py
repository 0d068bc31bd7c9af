"""Statistics: intervals and percentiles over problems."""
