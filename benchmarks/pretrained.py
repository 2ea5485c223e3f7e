"""The generator that comes with the package, from a finished run to its files.

Rounds the averaged weights of a run of the preset "mobile" to 16 bits, which a compressed file stores in half the
space, and writes `facades.keras`, its card `facades.md`, and `mobile_facades.jpg` (label map | generated | photo) of
eight pairs that training never saw. It prints the scores on all of them.

    keras-pix2pix train facades/train --direction BtoA --preset mobile --average 0.9995 --run-dir RUN
    python benchmarks/pretrained.py RUN facades/test
"""

import argparse
import hashlib
import json
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_pix2pix import Pix2Pix, paired_dataset
from keras_pix2pix.evaluation import picture_scores, standard_error
from keras_pix2pix.files import whole_file
from keras_pix2pix.images import beside, to_pixels

ROOT = Path(__file__).resolve().parent.parent
DATE = (1980, 1, 1, 0, 0, 0)  # Equal weights shall give equal files.
CARD = """# facades

A generator that draws facades from label maps: preset `mobile`, {parameters:,} parameters, 256x256 pixels, label maps
in the colours of the pix2pix `facades` archive.

- Training: {epochs} epochs of {steps} steps, batch size 1, on the 400 training pairs; settings as in `config` below;
  the average of the weights ({average}), rounded to 16 bits. By `benchmarks/pretrained.py`.
- On the {pictures} test pairs, with standard errors: {scores}.
- Data: CMP Facade Database, R. Tylecek and R. Sara, "Spatial Pattern Templates for Recognition of Objects with Regular
  Structure", GCPR 2013; in the arrangement of Isola et al., "Image-to-Image Translation with Conditional Adversarial
  Networks", CVPR 2017. The pictures are not part of this package.
- SHA-256 of `facades.keras`: {digest}

```json
{config}
```
"""


def write_compressed(model, path):
    """Save a model with its members compressed, which Keras doesn't do, and without the date of saving."""
    with tempfile.TemporaryDirectory() as directory:
        model.save(Path(directory) / "saved.keras")
        with (
            zipfile.ZipFile(Path(directory) / "saved.keras") as saved,
            whole_file(path) as target,
            zipfile.ZipFile(target, "w") as smaller,
        ):
            for name in saved.namelist():
                contents = saved.read(name)
                if name == "metadata.json":
                    contents = json.dumps({**json.loads(contents), "date_saved": ""}).encode()
                smaller.writestr(zipfile.ZipInfo(name, DATE), contents, zipfile.ZIP_DEFLATED, 9)


def main(arguments=None):
    """Round, save, judge, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("test", type=Path, help="folder of pairs that the run wasn't trained on")
    parser.add_argument("--weights", type=Path, default=ROOT / "keras_pix2pix/weights")
    parser.add_argument("--pictures", type=Path, default=ROOT / "docs/guides/pictures")
    options = parser.parse_args(arguments)
    config = json.loads((options.run / "config.json").read_text(encoding="utf-8"))
    trained = keras.saving.load_model(options.run / "average.keras")
    model = Pix2Pix(Pix2Pix.from_preset("mobile", precision="float32").generator, direction=config["direction"])
    model.generator.set_weights([weight.astype("float16").astype("float32") for weight in trained.get_weights()])
    file = options.weights / "facades.keras"
    file.parent.mkdir(exist_ok=True)
    write_compressed(model, file)

    found, rows = [], []
    for source, target, _ in paired_dataset(options.test, direction=config["direction"], training=False):
        generated = model.generator(source, training=False)
        found.append(picture_scores(generated, target, model.target_encoding))
        rows.append(beside(*(np.asarray(to_pixels(each))[0] for each in (source, generated, target))))
    scores = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
    words = ", ".join(f"{name} {each.mean():.4g} ± {standard_error(each):.2g}" for name, each in scores.items())
    print(f"{len(rows)} pictures, {words}; {file.stat().st_size / 1e6:.2f} MB")
    shown = [rows[index] for index in np.linspace(0, len(rows) - 1, 8).astype(int)]
    grid = np.concatenate([np.concatenate(shown[:4]), np.concatenate(shown[4:])], axis=1)
    picture = Image.fromarray(grid).resize((grid.shape[1] // 2, grid.shape[0] // 2), Image.Resampling.LANCZOS)
    with whole_file(options.pictures / "mobile_facades.jpg") as temporary:
        picture.save(temporary, format="JPEG", quality=88)
    kept = ("preset", "direction", "image_size", "batch_size", "schedule", "precision", "average", "seed")
    history = (options.run / "history.csv").read_text(encoding="utf-8").splitlines()
    card = CARD.format(
        parameters=model.generator.count_params(),
        epochs=len(history) - 1,
        steps=config.get("steps_per_epoch", 400),
        average=config["average"],
        pictures=len(rows),
        scores=words,
        digest=hashlib.sha256(file.read_bytes()).hexdigest(),
        config=json.dumps({name: config[name] for name in kept if name in config}, indent=2),
    )
    with whole_file(file.with_suffix(".md")) as temporary:
        temporary.write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
