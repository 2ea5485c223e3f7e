"""Functional Keras models, and nothing else."""
