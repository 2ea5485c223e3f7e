"""Learning: the model, its recipe, and what to watch."""
