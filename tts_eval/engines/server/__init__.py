"""Engines behind OpenAI-compatible servers, with the same accounting as an engine in this process."""
