"""The metered handle that a strategy is given, and what it is made of."""
