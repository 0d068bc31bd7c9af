"""The planner: what a model would do on hardware that is not here. Everything it says is modelled."""
