"""The GPUs of this machine as CUDA would number them, and what their driver says of each."""
