"""Converts weights of other pix2pix implementations to Keras 3 networks."""
