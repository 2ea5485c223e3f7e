"""Generators of Keras 2 and of the TensorFlow tutorial."""
