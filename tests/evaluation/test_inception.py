"""The Inception of FIDs beside a PyTorch twin with the names of pytorch-fid."""

import numpy as np
import pytest

from keras_pix2pix.evaluation import inception_features
from keras_pix2pix.evaluation.inception import _network, _variables_by_key

PARAMETERS = 21_785_568  # Of torchvision's Inception-v3 without its classifiers.


@pytest.fixture(scope="module")
def network():
    return _network()


@pytest.fixture(scope="module")
def tensors(network):
    """Random weights by the names of the file, in PyTorch's order; they keep the features of order 1."""
    rng = np.random.default_rng(0)
    tensors = {"fc.weight": np.zeros((1008, 2048)), "fc.bias": np.zeros(1008)}
    for key, variable in _variables_by_key(network).items():
        shape = tuple(variable.shape)
        if len(shape) == 4:
            drawn = rng.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape).transpose(3, 2, 0, 1)
        elif key.endswith(("weight", "running_var")):
            drawn = rng.uniform(0.5, 1.5, shape)
        else:
            drawn = rng.normal(0, 0.1, shape)
        tensors[key] = drawn.astype("float32")
    return tensors


def test_parameters_and_names(network):
    trainable = sum(np.prod(variable.shape) for variable in network.trainable_variables)
    assert trainable == PARAMETERS
    keys = _variables_by_key(network)
    assert len(keys) == 94 * 5
    assert {"Conv2d_1a_3x3.conv.weight", "Mixed_5b.branch1x1.bn.running_var", "Mixed_7c.branch_pool.bn.bias"} <= set(
        keys
    )
    assert network.output_shape == (None, 2048)


def test_what_is_missing_or_extra_is_named_at_once(tensors):
    others = {key: value for key, value in tensors.items() if key != "Conv2d_1a_3x3.conv.weight"}
    others["Conv2d_2a_3x3.conv.weight"] = np.zeros((32, 32, 1, 1))
    others["AuxLogits.fc.weight"] = np.zeros((1000, 768))
    with pytest.raises(ValueError, match="Conv2d_1a_3x3.conv.weight missing; AuxLogits.*layer; Conv2d_2a.*shape"):
        inception_features(others)


@pytest.mark.slow
def test_features_are_those_of_the_twin(tensors):
    torch = pytest.importorskip("torch")
    images = np.random.default_rng(1).uniform(-1, 1, (2, 299, 299, 3)).astype("float32")
    counters = {"Conv2d_1a_3x3.bn.num_batches_tracked": np.zeros((), "float32")}
    found = inception_features({**tensors, **counters})(images, training=False)
    twin = Twin(torch, {key: torch.tensor(value) for key, value in tensors.items()})
    expected = twin.features(torch.tensor(images.transpose(0, 3, 1, 2))).numpy()
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


class Twin:
    """pytorch-fid's network, written from its list of layers."""

    def __init__(self, torch, tensors):
        self.functional, self.torch, self.tensors = torch.nn.functional, torch, tensors

    def convolution(self, x, name, stride=1, padding=0):
        norm = [self.tensors[f"{name}.bn.{key}"] for key in ("running_mean", "running_var", "weight", "bias")]
        x = self.functional.conv2d(x, self.tensors[f"{name}.conv.weight"], stride=stride, padding=padding)
        return self.functional.relu(self.functional.batch_norm(x, *norm, eps=1e-3))

    def average(self, x):
        return self.functional.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False)

    def halved(self, x):
        return self.functional.max_pool2d(x, 3, 2)

    def features(self, x):
        for name, options in (
            ("Conv2d_1a_3x3", {"stride": 2}),
            ("Conv2d_2a_3x3", {}),
            ("Conv2d_2b_3x3", {"padding": 1}),
            (None, {}),
            ("Conv2d_3b_1x1", {}),
            ("Conv2d_4a_3x3", {}),
            (None, {}),
        ):
            x = self.halved(x) if name is None else self.convolution(x, name, **options)
        for block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            x = self.block_a(x, block)
        x = self.block_b(x, "Mixed_6a")
        for block in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
            x = self.block_c(x, block)
        x = self.block_d(x, "Mixed_7a")
        x = self.block_e(x, "Mixed_7b", self.average(x))
        x = self.block_e(x, "Mixed_7c", self.functional.max_pool2d(x, 3, 1, padding=1))
        return x.mean(dim=(2, 3))

    def branch(self, x, block, *steps, **last):
        """Convolutions in a row: (name, padding); the options are for the last one."""
        for number, (name, padding) in enumerate(steps, start=1):
            options = last if number == len(steps) else {}
            x = self.convolution(x, f"{block}.{name}", padding=padding, **options)
        return x

    def block_a(self, x, block):
        return self.torch.cat(
            [
                self.branch(x, block, ("branch1x1", 0)),
                self.branch(x, block, ("branch5x5_1", 0), ("branch5x5_2", 2)),
                self.branch(x, block, ("branch3x3dbl_1", 0), ("branch3x3dbl_2", 1), ("branch3x3dbl_3", 1)),
                self.branch(self.average(x), block, ("branch_pool", 0)),
            ],
            1,
        )

    def block_b(self, x, block):
        double = ("branch3x3dbl_1", 0), ("branch3x3dbl_2", 1), ("branch3x3dbl_3", 0)
        return self.torch.cat(
            [
                self.branch(x, block, ("branch3x3", 0), stride=2),
                self.branch(x, block, *double, stride=2),
                self.halved(x),
            ],
            1,
        )

    def block_c(self, x, block):
        wide, high = (0, 3), (3, 0)
        twice = [("branch7x7dbl_1", 0), ("branch7x7dbl_2", high), ("branch7x7dbl_3", wide), ("branch7x7dbl_4", high)]
        return self.torch.cat(
            [
                self.branch(x, block, ("branch1x1", 0)),
                self.branch(x, block, ("branch7x7_1", 0), ("branch7x7_2", wide), ("branch7x7_3", high)),
                self.branch(x, block, *twice, ("branch7x7dbl_5", wide)),
                self.branch(self.average(x), block, ("branch_pool", 0)),
            ],
            1,
        )

    def block_d(self, x, block):
        seven = ("branch7x7x3_1", 0), ("branch7x7x3_2", (0, 3)), ("branch7x7x3_3", (3, 0)), ("branch7x7x3_4", 0)
        return self.torch.cat(
            [
                self.branch(x, block, ("branch3x3_1", 0), ("branch3x3_2", 0), stride=2),
                self.branch(x, block, *seven, stride=2),
                self.halved(x),
            ],
            1,
        )

    def block_e(self, x, block, pooled):
        three = self.branch(x, block, ("branch3x3_1", 0))
        double = self.branch(x, block, ("branch3x3dbl_1", 0), ("branch3x3dbl_2", 1))
        return self.torch.cat(
            [
                self.branch(x, block, ("branch1x1", 0)),
                self.branch(three, block, ("branch3x3_2a", (0, 1))),
                self.branch(three, block, ("branch3x3_2b", (1, 0))),
                self.branch(double, block, ("branch3x3dbl_3a", (0, 1))),
                self.branch(double, block, ("branch3x3dbl_3b", (1, 0))),
                self.branch(pooled, block, ("branch_pool", 0)),
            ],
            1,
        )
