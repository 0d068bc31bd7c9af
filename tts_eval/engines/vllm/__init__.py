"""The vLLM engine: its settings, its start, its outputs and its gauges."""
