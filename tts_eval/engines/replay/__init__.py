"""An engine that answers from recorded traces instead of a model."""
