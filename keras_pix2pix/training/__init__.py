"""Training: the model, its recipe, and how to distribute it."""
