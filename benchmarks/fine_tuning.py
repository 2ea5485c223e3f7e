"""What a start from the packaged generator is worth with ten pairs, on label maps drawn in another way: in gray.

Trains `mobile` on ten of the facades' test pairs, which the packaged generator has never seen, for the same steps from
random weights, from `facades`, and from `facades` with a frozen encoder. It prints L1 and PSNR on twenty other test
pairs, and writes `fine_tuning.jpg`: label map | each of the three | photo.

    KERAS_PIX2PIX_FACADES=facades python benchmarks/fine_tuning.py --steps 100
"""

import argparse
import os
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from keras_pix2pix import Pix2Pix, metrics, paired_dataset
from keras_pix2pix.files import whole_file
from keras_pix2pix.images import beside, to_pixels

ROOT = Path(__file__).resolve().parent.parent
STARTS = {
    "random weights": {},
    "from facades": {"weights": "facades"},
    "from facades, encoder frozen": {"weights": "facades", "freeze": "encoder"},
}
TRAINED, HELD_OUT, SHOWN, SIDE = 10, 20, 3, 160


def gray_pairs(files, folder, training):
    """A data set of some files, with the label map's brightness in place of its colours."""
    folder.mkdir()
    for file in files:
        (folder / file.name).symlink_to(file.resolve())
    found = paired_dataset(folder, direction="BtoA", training=training, repeat=training)
    return found.map(lambda source, *rest: (tf.image.rgb_to_grayscale(source), *rest))


def trained(start, data, steps):
    """The small generator after some steps, from a start."""
    keras.utils.set_random_seed(0)
    judges = [metrics.PSNR(), metrics.SSIM()]
    model = Pix2Pix.from_preset("mobile", (256, 256, 1), target_channels=3, metrics=judges, direction="BtoA", **start)
    model.fit(data, steps_per_epoch=steps, verbose=0)
    return model


def main(arguments=None):
    """Train three times, judge, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--pictures", type=Path, default=ROOT / "docs/guides/pictures")
    options = parser.parse_args(arguments)
    files = sorted(Path(os.environ["KERAS_PIX2PIX_FACADES"]).glob("test/*.jpg"))[: TRAINED + HELD_OUT]
    with tempfile.TemporaryDirectory() as folder:
        few = gray_pairs(files[:TRAINED], Path(folder, "few"), training=True)
        others = gray_pairs(files[TRAINED:], Path(folder, "others"), training=False)
        models = {}
        for name, start in STARTS.items():
            models[name] = trained(start, few, options.steps)
            scores = models[name].evaluate(others, verbose=0, return_dict=True)
            words = ", ".join(f"{key} {scores[key]:.4f}" for key in ("g_l1", "psnr", "ssim"))
            print(f"{name}, {options.steps} steps: {words}", flush=True)
        rows = [
            beside(*(np.asarray(to_pixels(each))[0] for each in (tf.repeat(source, 3, -1), *drawn, target)))
            for source, target, _ in others.take(SHOWN)
            for drawn in [[model.generator(source, training=False) for model in models.values()]]
        ]
    picture = Image.fromarray(np.concatenate(rows)).resize((5 * SIDE, SHOWN * SIDE), Image.Resampling.LANCZOS)
    with whole_file(options.pictures / "fine_tuning.jpg") as temporary:
        picture.save(temporary, format="JPEG", quality=85)


if __name__ == "__main__":
    main()
