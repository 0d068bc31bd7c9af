"""Finished runs compared: frames, cells, frontiers, regret, estimators at every k."""
