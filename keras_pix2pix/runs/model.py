"""The model in a run folder or in a file."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from keras_pix2pix.convert.pytorch.state_dicts import PYTORCH_FILES, read_state_dict
from keras_pix2pix.networks.claims import load_checked, reason
from keras_pix2pix.pretrained import model_file, pretrained_file
from keras_pix2pix.runs.startup import start_tensorflow

if TYPE_CHECKING:
    import keras

    from keras_pix2pix import Pix2Pix

__all__ = [
    "lasting_changes",
    "lasting_path",
    "load_features",
    "load_model",
    "load_network",
    "load_weights",
    "parsed_image_size",
    "preset_networks",
    "refuse_missing_start",
    "start_weights",
]


_LOSS = "compile.reconstruction_loss"


def load_model(path: str | Path) -> Pix2Pix | keras.Model:
    """The model of a run folder, of a `.keras` file, or one that comes with the package.

    Args:
        path: Run folder of `keras-pix2pix train`, a `.keras` file with a `Pix2Pix` or a generator, or "facades", a
            small generator that comes with the package.

    Returns:
        A `Pix2Pix` or a functional `keras.Model`.

    Raises:
        ValueError: There is no such file, or it holds something else.

    Example:

    ```python
    from keras_pix2pix import load_model, unet_generator

    unet_generator((64, 64, 3), filters=8).save("generator.keras")
    generator = load_model("generator.keras")
    ```
    """
    file = model_file(path)
    start_tensorflow()
    from keras_pix2pix import Pix2Pix

    model = load_checked(file)
    if not isinstance(model, Pix2Pix) and not hasattr(model, "input_shape"):
        raise ValueError(
            f"{file} holds neither a Pix2Pix nor a generator. Received: {type(model).__name__}. Take another file."
        )
    return model


def preset_networks(recipe):
    """Generator and discriminator of a recipe for 256x256 RGB pictures, without optimizers."""
    from keras_pix2pix.training.building import build_network

    return [build_network(recipe, network, (256, 256, 3), 3) for network in ("generator", "discriminator")]


def load_features(word):
    """The function from pixels to the features that KID and FID compare, of the network that --features names.

    That is the network in a `.keras` file; for a PyTorch file, the Inception of published FIDs, with their resizing;
    for "imagenet", that of `keras.applications`.
    """
    start_tensorflow()
    import keras

    from keras_pix2pix.evaluation import features_of, inception_features

    if word == "imagenet":
        network = keras.applications.InceptionV3(include_top=False, pooling="avg", input_shape=(299, 299, 3))
        return functools.partial(features_of, network)
    if Path(word).suffix in PYTORCH_FILES:
        return functools.partial(features_of, inception_features(read_state_dict(word)), resize="bilinear")
    return functools.partial(features_of, load_network(word))


def load_network(path):
    """Any network in a `.keras` file."""
    return load_checked(model_file(path))


def lasting_path(path):
    """The path of a model as `config.json` has it: a run may be resumed from another working directory."""
    return path if pretrained_file(path) else str(Path(path).expanduser().resolve())


def lasting_changes(changes):
    """The changes to a preset, with a lasting path of the file of a perceptual loss."""
    loss = changes.get(_LOSS)
    is_file = isinstance(loss, str) and Path(loss).suffix in (".keras", ".h5")
    return {**changes, _LOSS: lasting_path(loss)} if is_file else changes


def start_weights(path):
    """What a run starts from, as `from_preset` takes it: the path itself, or the generator in a PyTorch file."""
    if Path(path).suffix not in PYTORCH_FILES:
        return path
    from keras_pix2pix import from_pytorch

    return from_pytorch(path).network


def refuse_missing_start(path):
    """Raise if there is nothing to start from, without loading it."""
    if Path(path).suffix not in PYTORCH_FILES:
        model_file(path)
    elif not Path(path).is_file():
        raise ValueError(f"There is no file {path} to start from. Check --start-from.")


def load_weights(model, path):
    """Load the weights in `path` into a model variable by variable, for a model shared by several devices."""
    file = model_file(path)
    try:
        model.load_weights(file)
    except Exception as error:
        raise ValueError(
            f"{file} can't be loaded into this run's model: {reason(error)}. Put the file back."
        ) from error


def parsed_image_size(text):
    """`--image-size` as (height, width): from "HEIGHTxWIDTH", or one number for a square."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise ValueError(f"--image-size must be HEIGHTxWIDTH or one number, in pixels. Received: {text!r}.")
    return int(sides[0]), int(sides[-1])
