"""State dicts of PyTorch implementations."""
