"""Running: arrivals, the run loop, the run directory, the summary, the sweep."""
