"""The paper's facades, from a finished run to the figures of the README.

Exports the generator of a run folder to TFLite, translates every validation picture with LiteRT alone, and writes
`facades.jpg` (label map | generated | photo of four pairs) and `facades_curves.png` (the run's losses). It prints
the file's size, the median time for a picture, and the mean absolute difference from the photos.

    keras-pix2pix train facades/train --direction BtoA --validation facades/test --run-dir RUN --epochs 10
    python benchmarks/facades.py RUN --output docs/guides/pictures
"""

import argparse
import csv
import json
import statistics
import time
from pathlib import Path

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from matplotlib.figure import Figure
from PIL import Image

from keras_pix2pix import Pix2Pix, export_tflite
from keras_pix2pix.data.pairs import find_pairs
from keras_pix2pix.files import whole_file
from keras_pix2pix.images import beside

SHOWN = (0, 27, 54, 81)
CURVES = {
    "L1 (g_l1)": ("g_l1",),
    "generator's adversarial loss (g_gan)": ("g_gan",),
    "discriminator: probability of real": ("d_real", "d_fake"),
}


def translate_all(model_file, pairs):
    """Generated and true pixels of every pair, and the seconds that each picture took."""
    translate = Interpreter(str(model_file), num_threads=2).get_signature_runner()
    triples, seconds = [], []
    for pair in pairs:
        source, target = (np.asarray(side) for side in pair.read())
        start = time.perf_counter()
        generated = translate(source=source[np.newaxis])["generated"][0]
        seconds.append(time.perf_counter() - start)
        triples.append((source, generated, target))
    return triples, seconds


def draw_curves(history_file, output):
    """Training and validation curves, epoch by epoch."""
    with open(history_file, encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    epochs = [int(row["epoch"]) + 1 for row in rows]
    figure = Figure(figsize=(11, 3), layout="constrained")
    for axes, (title, names) in zip(figure.subplots(1, len(CURVES)), CURVES.items(), strict=True):
        for color, name in enumerate(names):
            for prefix, style in (("", "-"), ("val_", "--")):
                values = [float(row[prefix + name]) for row in rows]
                axes.plot(epochs, values, style, color=f"C{color}", label=prefix + name)
        axes.set(title=title, xlabel="epoch")
        axes.legend(fontsize=8)
    with whole_file(output) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def main(arguments=None):
    """Export, translate, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--output", type=Path, default=Path("."))
    options = parser.parse_args(arguments)
    config = json.loads((options.run / "config.json").read_text(encoding="utf-8"))
    pairs = find_pairs(config["validation"], None, config["direction"], "rgb", "rgb")

    model_file = options.run / "facades.tflite"
    model = keras.saving.load_model(options.run / "model.keras", custom_objects={"Pix2Pix": Pix2Pix})
    export_tflite(model, model_file)
    triples, seconds = translate_all(model_file, pairs)
    rows = [beside(*triples[index % len(triples)]) for index in SHOWN]
    grid = np.concatenate([np.concatenate(rows[:2]), np.concatenate(rows[2:])], axis=1)
    with whole_file(options.output / "facades.jpg") as temporary:
        Image.fromarray(grid).save(temporary, quality=90)
    draw_curves(options.run / "history.csv", options.output / "facades_curves.png")
    l1 = np.mean([np.mean(np.abs(generated.astype(int) - target)) for _, generated, target in triples])
    print(f"{len(triples)} pictures, median {statistics.median(seconds) * 1000:.0f} ms each on two threads")
    print(f"mean absolute difference from the photos: {l1:.1f} grey levels")


if __name__ == "__main__":
    main()
