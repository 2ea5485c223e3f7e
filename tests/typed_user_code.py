"""A user's program as a type checker sees it: `make lint` checks it, and nothing runs it."""

from pathlib import Path
from typing import Any, assert_type

import keras
import numpy as np
import tensorflow as tf

import keras_pix2pix
from keras_pix2pix import Pix2Pix, callbacks, encodings, images, metrics

assert_type(keras_pix2pix.unet_generator((64, 64, 3), filters=8), keras.Model)
assert_type(keras_pix2pix.resnet_generator((64, 64, 3)), keras.Model)
assert_type(keras_pix2pix.patchgan_discriminator((64, 64, 3)), keras.Model)
assert_type(keras_pix2pix.receptive_field(keras_pix2pix.patchgan_discriminator((64, 64, 3))), int)
assert_type(keras_pix2pix.preset_data("paper"), dict[str, Any])
pairs = keras_pix2pix.paired_dataset("pairs", image_size=64)
assert_type(pairs, tf.data.Dataset)
model = Pix2Pix.from_preset("paper", image_shape=(64, 64, 3))
assert_type(model, Pix2Pix)
model.compile(lambda_l1=10.0, metrics=[metrics.PSNR()])
assert_type(callbacks.for_run("run", pairs, average=0.999), list[keras.callbacks.Callback])
assert_type(callbacks.resume_point(model), tuple[int, int])
assert_type(model.translate(np.zeros((64, 64, 3), "uint8")), np.ndarray | list[np.ndarray] | list[Path])
assert_type(keras_pix2pix.load_model("run"), Pix2Pix | keras.Model)
assert_type(encodings.get("classes:12").word, str)
assert_type(keras_pix2pix.write_report("run"), Path)
assert_type(keras_pix2pix.__version__, str)
images.write_png("a.png", np.zeros((1, 1, 3), "uint8"))

keras_pix2pix.unet_generator(image_size=64)  # type: ignore[call-arg]
Pix2Pix.from_preset(5)  # type: ignore[arg-type]
