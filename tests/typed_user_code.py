"""What type checkers see of the public API: checked by mypy in `make lint`, never run."""

from pathlib import Path
from typing import assert_type

import keras
import numpy as np

from keras_pix2pix import (
    Pix2Pix,
    download_dataset,
    draw_pairs,
    encodings,
    export_tflite,
    load_model,
    paired_dataset,
    patchgan_discriminator,
    receptive_field,
    unet_generator,
    write_report,
)
from keras_pix2pix.data.synthetic import facade, write_facades

assert_type(write_facades(Path("pairs"), 2, image_size=(64, 64)), list[Path])
assert_type(facade(1), tuple[np.ndarray, np.ndarray])
assert_type(draw_pairs("pairs", source_encoding=encodings.get("rgb")).pairs, int)
assert_type(download_dataset("facades").folder, Path)
paired_dataset(["photos", Path("depth")], "targets", image_size=64, subset="training")
generator = unet_generator((256, 256, 3), filters=32, dropout_blocks=(1, 2))
assert_type(generator, keras.Model)
model = Pix2Pix(generator, patchgan_discriminator(), source_encoding=encodings.get("classes:12"))
model.compile(lambda_l1=10.0, gan_loss=keras.losses.MeanSquaredError())
assert_type(Pix2Pix.from_preset("paper"), Pix2Pix)
assert_type(receptive_field(patchgan_discriminator()), int)
assert_type(encodings.get("rgb").word, str)
assert_type(write_report("runs/facades"), Path)
parity = export_tflite(model, Path("model.tflite"), quantization="float16", accept={"psnr": 40})
assert_type(parity.psnr, float | None)
export_tflite(load_model("runs/facades"), "model.tflite", pixels=np.zeros((1, 256, 256, 3), np.uint8))

# Mistakes are found: were one of them not, its `ignore` would be unused, which is an error.
unet_generator(image_shape=256)  # type: ignore[arg-type]
paired_dataset("pairs", batch_size="1")  # type: ignore[arg-type]
draw_pairs("pairs", number=3)  # type: ignore[call-arg]
Pix2Pix(generator, direction=1)  # type: ignore[arg-type]
export_tflite(model, "model.tflite", quantisation="int8")  # type: ignore[call-arg]
