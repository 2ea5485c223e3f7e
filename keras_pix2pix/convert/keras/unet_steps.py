"""The steps of a U-Net of the common layout, appended layer by layer."""

from keras_pix2pix.convert.keras.steps import SETTINGS, Step

__all__ = ["UNetSteps"]


class UNetSteps:
    """The steps of a U-Net, appended layer by layer from its input to its result.

    Convolutions of the encoder halve the size; the input of each of them but the first is the skip that the
    decoder's concatenation at that size takes, after the decoder's own.
    """

    def __init__(self, channels, leaky_slope, epsilon):
        self.steps = [Step("Input", "source", (), {"channels": channels}, {})]
        self.given = {
            "LeakyReLU": {"negative_slope": leaky_slope},
            "Activation": {"activation": "relu"},
            "Dropout": {"rate": 0.5},
            "SpatialDropout2D": {"rate": 0.5},
            "BatchNormalization": {"epsilon": epsilon},
            "GroupNormalization": {"epsilon": epsilon, "groups": -1},
        }
        self._channels = {"source": channels}
        self._skips = []
        self._encoding = False

    @property
    def channels(self):
        """Channels of the last step's result."""
        return self._channels[self.steps[-1].name]

    @property
    def has_skip(self):
        """Whether a skip is left for a concatenation."""
        return bool(self._skips)

    def append(self, kind, name, weights=None, **settings):
        """Add a layer on the last result, and on a skip if it concatenates."""
        inputs = [self.steps[-1].name]
        if kind == "Concatenate":
            inputs.append(self._skips.pop())
        self._channels[name] = settings.get("filters", sum(self._channels[each] for each in inputs))
        settings = {**SETTINGS[kind], **self.given.get(kind, {}), **settings}
        self.steps.append(Step(kind, name, tuple(inputs), settings, weights or {}))

    def convolution(self, kind, name, weights, *, strides, **settings):
        """Add a convolution with the size of its kernel and padding "same"."""
        if kind == "Conv2D" and strides == 2:
            if self._encoding:
                self._skips.append(self.steps[-1].name)
            self._encoding = True
        rows, columns, *filters = weights["kernel"].shape
        self.append(
            kind,
            name,
            weights,
            filters=filters[1 if kind == "Conv2D" else 0],
            kernel_size=(rows, columns),
            strides=(strides, strides),
            padding="same",
            use_bias="bias" in weights,
            **settings,
        )

    def normalization(self, name, weights):
        """Add batch norm if there are moving averages, else instance norm."""
        kind = "BatchNormalization" if "moving_mean" in weights else "GroupNormalization"
        self.append(kind, name, weights, center="beta" in weights, scale="gamma" in weights)
