"""What strategies and verifiers are made of."""
