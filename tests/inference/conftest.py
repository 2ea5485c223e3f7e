"""Weights that tell: norms and biases as they start do nothing."""

import numpy as np
import pytest


@pytest.fixture
def varied():
    """A function that gives a network random weights, those of variances positive, and returns it."""

    def vary(network, seed=0):
        rng = np.random.default_rng(seed)
        for weight in network.weights:
            if "variance" in weight.name:
                weight.assign(rng.uniform(0.5, 2, weight.shape))
            elif len(weight.shape) > 1:
                weight.assign(rng.normal(0, 1 / np.sqrt(np.prod(weight.shape[:-1])), weight.shape))
            else:
                weight.assign(rng.normal(0, 0.5, weight.shape))
        return network

    return vary
