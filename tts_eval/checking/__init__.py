"""Whether a machine does what this program takes for granted: the parts of `python -m tts_eval.check_gpu`."""
