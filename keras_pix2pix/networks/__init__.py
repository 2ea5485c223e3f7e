"""Functional Keras models and their layers."""
