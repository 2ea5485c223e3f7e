"""The perceptual loss: how far the features of two images are from each other in a trained network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_pix2pix.images import HALF_RANGE
from keras_pix2pix.inference.walk import is_functional
from keras_pix2pix.networks.claims import load_checked
from keras_pix2pix.pretrained import model_file
from keras_pix2pix.training.building import dtype_policy
from keras_pix2pix.training.losses import as_list, l1_loss

__all__ = ["PerceptualLoss", "perceptual_loss_of", "read_extractor"]

_VGG19 = "vgg19"
_FILES = (".h5", ".keras")
# relu1_1 to relu5_1, with pix2pixHD's weights; Keras' layers contain their ReLUs.
_VGG19_LAYERS = {
    "block1_conv1": 1 / 32,
    "block2_conv1": 1 / 16,
    "block3_conv1": 1 / 8,
    "block4_conv1": 1 / 4,
    "block5_conv1": 1.0,
}


@keras.saving.register_keras_serializable("keras_pix2pix")
class PerceptualLoss(keras.losses.Loss):
    """The mean absolute difference of a trained network's features for the target and for the generated image.

    For `compile(reconstruction_loss=...)`, whose weight is `lambda_l1`; with "vgg19" it is pix2pixHD's, and the word,
    or an extractor's file, is enough there and in `train --set compile.reconstruction_loss=vgg19`. The extractor is not
    trained, and a saved model names it without containing it: translating and exporting don't need it, and training
    fetches or reads it again, unless it was a model, which has no name to read it by.

    VGG19 has 12.9 million parameters up to its last layer used, and computes in float32.

    Args:
        extractor: "vgg19", which takes images in [-1, 1] of 3 channels or 1, and whose ImageNet weights Keras fetches
            once (80 MB); a file of VGG19's weights without its top, `.h5`; or another network from images in [-1, 1],
            functional, or its `.keras` file. Defaults to "vgg19".
        layers: Names of the layers whose outputs are compared. Defaults to None: relu1_1, relu2_1, relu3_1, relu4_1 and
            relu5_1 of VGG19, or the outputs of another network.
        weights: One number for each layer. Defaults to None: pix2pixHD's for its layers, 1/32, 1/16, 1/8, 1/4 and 1;
            otherwise 1 for each.
        l1_weight: Weight of the L1 distance of the images, which is added. Defaults to 0.
        name: Name of the loss. Defaults to "perceptual_loss".

    Raises:
        ValueError: An unknown extractor or layer, a file that can't be read, weights that can't be fetched, or not as
            many weights as layers.

    Example:

    ```python
    import keras
    from keras_pix2pix import PerceptualLoss, Pix2Pix

    image = keras.Input((64, 64, 3))
    extractor = keras.Model(image, keras.layers.Conv2D(8, 3, name="edges")(image))
    loss = PerceptualLoss(extractor, ["edges"], l1_weight=1.0)
    model = Pix2Pix.from_preset("mobile", (64, 64, 3), changes={"compile.reconstruction_loss": loss})
    ```

    Reference:
        Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution"; Wang et al.,
        "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", Section 3.3.
    """

    def __init__(
        self,
        extractor: str | Path | keras.Model = _VGG19,
        layers: Sequence[str] | None = None,
        weights: Sequence[float] | None = None,
        *,
        l1_weight: float = 0.0,
        name: str = "perceptual_loss",
    ) -> None:
        super().__init__(name=name)
        self.extractor_name = _name_of(extractor)
        self.layers = None if layers is None else list(layers)
        self.weights = None if weights is None else list(weights)
        self.l1_weight = l1_weight
        self._compare = self._comparison(extractor)

    def call(self, target, generated):
        """The loss of each example, `(batch,)`."""
        with tf.init_scope():  # Called by itself after loading, it makes variables.
            self.read()
        return self._compare(target, generated) + self.l1_weight * l1_loss(target, generated)

    def read(self) -> None:
        """Read the extractor of a loaded model, unless that is done; under the strategy, for the weights of all."""
        if self._compare is None:
            self._compare = self._comparison(self._file_or_word())

    def get_config(self):
        config = {"name": self.name, "extractor": self.extractor_name, "l1_weight": self.l1_weight}
        return {**config, "layers": self.layers, "weights": self.weights}

    @classmethod
    def from_config(cls, config):
        # Without the extractor, which is only read if the model is trained on.
        loss = cls.__new__(cls)
        keras.losses.Loss.__init__(loss, name=config["name"])
        loss.extractor_name, loss.l1_weight = config["extractor"], config["l1_weight"]
        loss.layers, loss.weights, loss._compare = config["layers"], config["weights"], None
        return loss

    def _file_or_word(self):
        if self.extractor_name == _VGG19 or Path(self.extractor_name).suffix in _FILES:
            return self.extractor_name
        raise ValueError(
            f"This model was trained with a PerceptualLoss of the network {self.extractor_name!r}, which its file "
            "names but doesn't hold. To train or evaluate it, compile it again with "
            "`reconstruction_loss=PerceptualLoss(...)`; the .keras file of an extractor would be found again."
        )

    def _comparison(self, extractor):
        """The function (target, generated) -> differences `(batch,)`; a function, because Keras would save a model."""
        network, prepared = _network_of(extractor)
        # The names of VGG19's layers, whose values are their weights; of other networks, all outputs.
        names = _VGG19_LAYERS if self.layers is None and prepared is _for_vgg19 else self.layers
        features = _features_of(network, names)
        default = names.values() if names is _VGG19_LAYERS else [1.0] * len(features.outputs)
        weights = list(default) if self.weights is None else self.weights
        if len(weights) != len(features.outputs):
            raise ValueError(
                f"`weights` must be one number for each of {len(features.outputs)} layers. Received: {weights}."
            )

        def compare(target, generated):
            real, fake = (as_list(features(prepared(each), training=False)) for each in (target, generated))
            pairs = zip(weights, real, fake, strict=True)
            # In full precision, even if the extractor isn't.
            return sum(weight * l1_loss(ops.cast(a, "float32"), ops.cast(b, "float32")) for weight, a, b in pairs)

        return compare


def perceptual_loss_of(loss: Any) -> Any:
    """A `PerceptualLoss` by an extractor's word or file; any other loss as it is."""
    named = isinstance(loss, str) and (loss == _VGG19 or Path(loss).suffix in _FILES)
    return PerceptualLoss(loss) if named else loss


def read_extractor(loss: Any) -> None:
    """Read what a loaded `PerceptualLoss` only names; nothing for any other loss."""
    if isinstance(loss, PerceptualLoss):
        loss.read()


def _name_of(extractor):
    """The name in a saved model: a file's is absolute, as it is read again from any working directory."""
    if isinstance(extractor, keras.Model) or extractor == _VGG19:
        return getattr(extractor, "name", extractor)
    return str(Path(extractor).expanduser().resolve())


def _network_of(extractor: Any):
    """The network, and the function that prepares images in [-1, 1] for it."""
    if extractor == _VGG19 or str(extractor).endswith(".h5"):
        return _vgg19("imagenet" if extractor == _VGG19 else str(Path(extractor).expanduser())), _for_vgg19
    network = extractor if isinstance(extractor, keras.Model) else load_checked(model_file(extractor))
    if not is_functional(network):
        raise ValueError(
            f'`extractor` must be "vgg19", a file, or a functional `keras.Model`. Received: {type(network).__name__}.'
        )
    return network, lambda image: image


def _vgg19(weights):
    with dtype_policy("float32"):
        try:
            return keras.applications.VGG19(include_top=False, weights=weights)
        except Exception as error:
            raise ValueError(
                f"VGG19 can't get its weights, {weights}: {error}. Without a connection, download "
                "Keras' vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5 elsewhere, and pass its path."
            ) from error


def _for_vgg19(image):
    """BGR minus ImageNet's mean, as VGG19 was trained; gray is repeated."""
    image = ops.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image
    return keras.applications.vgg19.preprocess_input(image * HALF_RANGE + HALF_RANGE)


def _features_of(network, names):
    if names is None:
        return network
    known = [layer.name for layer in network.layers]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValueError(
            f"`layers` must be names of layers of {network.name!r}: {', '.join(known)}. Received: {names}."
        )
    return keras.Model(network.inputs, [network.get_layer(name).output for name in names])
