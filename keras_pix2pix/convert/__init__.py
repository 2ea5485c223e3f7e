"""Weights of other pix2pix implementations become networks of ours."""
