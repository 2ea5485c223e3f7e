"""The fused Adam is Keras' Adam, or PyTorch's."""

import keras
import numpy as np
import pytest

from keras_pix2pix.training.optimizers import FusedAdam


@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": 0.1},
        {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2},
        {"learning_rate": 0.1, "amsgrad": True},
        {"learning_rate": 0.1, "clipnorm": 0.5, "weight_decay": 0.1},
        {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)},
    ],
    ids=["plain", "every number", "amsgrad", "clipnorm and decay", "schedule"],
)
def test_it_equals_keras_adam(arguments):
    start, _ = draw()
    theirs, ours = trained(keras.optimizers.Adam(**arguments)), trained(FusedAdam(**arguments))
    # Rounding in float32: a 20,000th of a step.
    np.testing.assert_allclose(ours, theirs, atol=5e-6)
    assert np.abs(ours - start).max() > 1e-2


@pytest.mark.parametrize("corrected_epsilon", [False, True])
def test_where_epsilon_is_added(corrected_epsilon):
    start, gradients = draw()
    ours = trained(FusedAdam(0.1, beta_1=0.5, beta_2=0.9, epsilon=0.3, corrected_epsilon=corrected_epsilon))
    # Algorithm 1 of Kingma and Ba, and the form of their Section 2 that Keras has.
    theirs, m, v = start.astype("float64"), 0, 0
    for step, gradient in enumerate(gradients, start=1):
        m = 0.5 * m + 0.5 * gradient
        v = 0.9 * v + 0.1 * gradient**2
        corrected = np.sqrt(v / (1 - 0.9**step)) + 0.3
        uncorrected = (np.sqrt(v) + 0.3) / np.sqrt(1 - 0.9**step)
        theirs = theirs - 0.1 * m / (1 - 0.5**step) / (corrected if corrected_epsilon else uncorrected)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_epsilon_is_where_keras_has_it_unless_asked_otherwise():
    assert not FusedAdam().corrected_epsilon


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [1e-8, 1e-2])
def test_with_a_corrected_epsilon_it_equals_pytorchs(epsilon):
    torch = pytest.importorskip("torch")
    start, gradients = draw()
    ours = trained(FusedAdam(0.1, beta_1=0.5, beta_2=0.999, epsilon=epsilon, corrected_epsilon=True))
    theirs = torch.nn.Parameter(torch.tensor(start))
    optimizer = torch.optim.Adam([theirs], lr=0.1, betas=(0.5, 0.999), eps=epsilon)
    for gradient in gradients:
        theirs.grad = torch.tensor(gradient)
        optimizer.step()
    np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=5e-6)


def draw():
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 4)).astype("float32"), rng.normal(size=(5, 3, 4)).astype("float32")


def trained(optimizer):
    start, gradients = draw()
    variable = keras.Variable(start)
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return variable.numpy()


def test_a_corrected_epsilon_is_refused_with_amsgrad():
    with pytest.raises(ValueError, match="corrected_epsilon=True.*amsgrad=True"):
        FusedAdam(corrected_epsilon=True, amsgrad=True)


def test_it_is_saved_under_its_own_name():
    optimizer = FusedAdam(3e-4, beta_1=0.6, corrected_epsilon=True)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert type(again) is FusedAdam
    assert again.corrected_epsilon
    assert again.get_config() == optimizer.get_config()
