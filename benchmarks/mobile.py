"""Which small generator makes the best facades per megabyte and millisecond? The measurement behind `mobile`.

The candidates are options of our own builders, each with fewer than 4 million parameters: the paper's U-Net with 16
filters, depth-to-space in place of its transposed convolutions, depthwise-separable ones of several widths and depths,
resize-convolutions (the last block depth-to-space), and the residual generator. All are exported to TFLite and timed
with LiteRT, in turns. Those that take more than 5 times as long as the fastest are not trained. The others are trained
on the facades with the paper's recipe (256x256, batch 1, jitter and mirror, Adam, L1 weight 100), for the same few
steps, from the same seeds, against the paper's discriminator, but with 32 filters: 64 would take most of the time.

    KERAS_PIX2PIX_FACADES=facades nice python benchmarks/mobile.py --output mobile
    KERAS_PIX2PIX_FACADES=facades python benchmarks/mobile.py --output trial --steps 2 --image-size 64 --seeds 0

The second line is a trial of two minutes. Measured on the test pairs, mean over the `--seeds`: L1 in grey levels and
SSIM against the photos; sharpness, the mean gradient of the generated pictures over that of the photos; and the
FCN-score of the paper's Section 4.1. For it a small U-Net learns once, from real photos, to tell the 12 classes of the
label maps; then it looks at generated photos, and its answers are compared with the label maps that these were made
from (pixel accuracy, class IoU). The real photos stand first: what the U-Net makes of them is as much as it can see.

The choice: a candidate's picture is the mean of its pixel accuracy and class IoU. Of those that reach 95% of the best
picture, `mobile` is the one with the smallest product of megabytes (float16) and milliseconds (one thread; processor
time, on which other programs have little influence). Mind the noise: from one seed to another, pixel accuracy moved by
0.01 and 0.03 for the two candidates that were trained twice (1200 steps). Smaller differences between pictures mean
nothing with one seed; size and latency don't depend on it.

`--output` receives the trained networks, so that an interrupted run continues where it was; `--results` receives
`mobile.md`, the table, and `mobile.jpg`, generated test pictures. Without the data set, a folder with `train/` and
`test/` that the environment variable names, the exit code is 2.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import keras_pix2pix
from keras_pix2pix import Pix2Pix, export_tflite, paired_dataset, patchgan_discriminator, preset_data
from keras_pix2pix.data.synthetic import PALETTE
from keras_pix2pix.evaluation import fcn_score, train_segmenter
from keras_pix2pix.files import whole_file
from keras_pix2pix.images import beside, to_image, to_pixels

FACADES_VARIABLE = "KERAS_PIX2PIX_FACADES"
MOST_PARAMETERS = 4_000_000
TOO_SLOW = 5  # Times the fastest candidate: not trained.
GOOD_ENOUGH = 0.95  # Of the best picture.
DISCRIMINATOR_FILTERS = 32
WARM_UP, RUNS = 3, 30
SHOWN = (8, 27, 54)  # Test pairs in the picture.
SHOWN_SIZE = 132
UNET = {"network": "unet_generator"}
SUBPIXEL = {**UNET, "upsampling": "depth_to_space"}
RESIZE = {**UNET, "upsampling": "nearest", "last_upsampling": "depth_to_space", "separable": True}
CANDIDATES = {
    "transposed, 16 filters": {**UNET, "filters": 16},
    "depth-to-space, 12 filters": {**SUBPIXEL, "filters": 12},
    "depth-to-space, separable, 16 filters": {**SUBPIXEL, "separable": True, "filters": 16},
    "depth-to-space, separable, 24 filters": {**SUBPIXEL, "separable": True, "filters": 24},
    "depth-to-space, separable, 32 filters": {**SUBPIXEL, "separable": True, "filters": 32},
    "the same with 6 halvings": {**SUBPIXEL, "separable": True, "filters": 32, "num_downsamples": 6},
    "nearest, separable, 32 filters": {**RESIZE, "filters": 32},
    "nearest, separable 3x3, 32 filters": {**RESIZE, "filters": 32, "separable_kernel_size": 3},
    "nearest, separable 3x3, 24 filters": {**RESIZE, "filters": 24, "separable_kernel_size": 3},
    "nearest to the last, separable, 32 filters": {**RESIZE, "last_upsampling": "nearest", "filters": 32},
    "residual, 16 filters": {"network": "resnet_generator", "filters": 16},
}


def main():
    options = parse_arguments()
    facades = os.environ.get(FACADES_VARIABLE)
    if not facades:
        message = f"Set {FACADES_VARIABLE} to the folder of the `facades` data set, with `train` and `test` in it."
        print(message, file=sys.stderr)
        raise SystemExit(2)
    train, test = Path(facades) / "train", Path(facades) / "test"

    rows = screen(options.output, options.image_size)
    trained = {name: row for name, row in rows.items() if not row["too_slow"]}
    for seed in options.seeds:
        for name in trained:
            train_generator(name, seed, train, options)
    judge = Judge(kept_segmenter(train, options), test, options.image_size)
    real, pictures = judge.measure(judge.targets), []
    for name, row in trained.items():
        generated = [judge.generate(generator_file(name, seed, options)) for seed in options.seeds]
        row.update(over_seeds([judge.measure(each) for each in generated]))
        pictures.append(generated[0])
    chosen = choose(trained)
    write_table(rows, real, chosen, options)
    write_picture([judge.sources, *pictures, judge.targets], options.results / "mobile.jpg")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("mobile"), help="folder of the networks (default mobile)")
    parser.add_argument("--results", type=Path, help="folder of table and picture (default: --output)")
    parser.add_argument("--steps", type=int, default=1200, help="training steps of each candidate (default 1200)")
    parser.add_argument("--image-size", type=int, default=256, choices=(64, 128, 256), help="default 256")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the runs of each candidate (default 0)")
    options = parser.parse_args()
    if options.steps < 1:
        parser.error(f"--steps must be 1 or more. Received: {options.steps}.")
    options.results = options.results or options.output
    return options


def build(name, image_size):
    arguments = dict(CANDIDATES[name])
    return getattr(keras_pix2pix, arguments.pop("network"))((image_size, image_size, 3), **arguments)


def screen(output, image_size):
    """Parameters, file sizes and latencies of every candidate, untrained."""
    rows, interpreters = {}, {}
    drawn = np.random.default_rng(0).integers(0, 256, (1, image_size, image_size, 3)).astype("uint8")
    for number, name in enumerate(CANDIDATES):
        generator = build(name, image_size)
        if generator.count_params() >= MOST_PARAMETERS:
            raise ValueError(f"A candidate has fewer than {MOST_PARAMETERS:,} parameters. Received: {name!r}.")
        rows[name] = {"parameters": generator.count_params()}
        for quantization in ("none", "float16"):
            file = output / "tflite" / f"{number}_{quantization}.tflite"
            rows[name][quantization] = export_tflite(generator, file, quantization=quantization, pixels=drawn).size
        for threads in (1, 2):
            interpreters[name, threads] = Interpreter(str(file), num_threads=threads)
            interpreters[name, threads].allocate_tensors()
    for (name, threads), latency in latencies(interpreters).items():
        rows[name][threads] = latency
    fastest = min(row[1] for row in rows.values())
    for row in rows.values():
        row["too_slow"] = row[1] > TOO_SLOW * fastest
    return rows


def latencies(interpreters):
    """Median milliseconds of one picture: of each interpreter, in turns."""
    seconds = {key: [] for key in interpreters}
    for _ in range(WARM_UP + RUNS):
        for (name, threads), interpreter in interpreters.items():
            # One thread is this one: the time that it is kept waiting doesn't count.
            clock = time.thread_time if threads == 1 else time.perf_counter
            start = clock()
            interpreter.invoke()
            seconds[name, threads].append(clock() - start)
    return {key: 1000 * statistics.median(each[WARM_UP:]) for key, each in seconds.items()}


def generator_file(name, seed, options):
    words = name.replace(",", "").replace(" ", "_")
    return options.output / f"{words}_{options.image_size}_{options.steps}_{seed}.keras"


def train_generator(name, seed, directory, options):
    file = generator_file(name, seed, options)
    if file.exists():
        return
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    # First, so that every candidate meets the same discriminator.
    image_shape = (options.image_size, options.image_size, 3)
    discriminator = patchgan_discriminator(image_shape, filters=DISCRIMINATOR_FILTERS)
    model = Pix2Pix(build(name, options.image_size), discriminator, direction="BtoA")
    model.compile()
    recipe = preset_data("paper")
    pairs = paired_dataset(directory, image_size=options.image_size, direction="BtoA", seed=seed, **recipe)
    start = time.perf_counter()
    logs = model.fit(pairs.repeat(), steps_per_epoch=options.steps, shuffle=False, verbose=0).history
    print(f"{file.stem}: {time.perf_counter() - start:.0f} s, mean L1 {logs['g_l1'][-1]:.4f}", flush=True)
    with whole_file(file) as temporary:
        model.generator.save(temporary)


def kept_segmenter(directory, options):
    """A U-Net from photos to the logits of the classes; (photo, label map) pairs are its data."""
    file = options.output / f"segmenter_{options.image_size}_{options.steps}.keras"
    if file.exists():
        return keras.saving.load_model(file)
    pairs = paired_dataset(
        directory, image_size=options.image_size, training=False, target_interpolation="nearest"
    ).unbatch()
    photos, labels = zip(*((photo, classes(to_pixels(labels))) for photo, labels, _ in pairs), strict=True)
    segmenter = train_segmenter(np.stack(photos), np.stack(labels), classes=len(PALETTE), steps=options.steps)
    with whole_file(file) as temporary:
        segmenter.save(temporary)
    return segmenter


def classes(labels):
    """Index of the nearest colour of the palette; JPEG has changed the colours a little."""
    differences = tf.cast(labels, tf.float32)[..., None, :] - tf.constant(list(PALETTE.values()), tf.float32)
    return tf.argmin(tf.reduce_sum(differences**2, axis=-1), axis=-1)


class Judge:
    """The test pairs, and what is measured on generated ones."""

    def __init__(self, segmenter, directory, image_size):
        self.segmenter = segmenter
        options = {"direction": "BtoA", "training": False, "source_interpolation": "nearest"}
        pairs = paired_dataset(directory, image_size=image_size, **options)
        sources, targets, _ = zip(*pairs, strict=True)
        self.images = tf.concat(sources, 0)
        self.sources, self.targets = to_pixels(self.images), to_pixels(tf.concat(targets, 0))
        self.classes = classes(self.sources).numpy()

    def generate(self, file):
        return to_pixels(keras.saving.load_model(file).predict(self.images, batch_size=1, verbose=0))

    def measure(self, generated):
        floats, targets = (tf.cast(pixels, tf.float32) for pixels in (generated, self.targets))
        scores = fcn_score(self.segmenter, to_image(generated), self.classes)
        return {
            "l1": float(tf.reduce_mean(tf.abs(floats - targets))),
            "ssim": float(tf.reduce_mean(tf.image.ssim(floats, targets, 255))),
            "sharpness": mean_gradient(floats) / mean_gradient(targets),
            "accuracy": scores["pixel_accuracy"].value,
            "iou": scores["class_iou"].value,
        }


def mean_gradient(pixels):
    down, right = tf.image.image_gradients(tf.image.rgb_to_grayscale(pixels))
    return float(tf.reduce_mean(tf.sqrt(down**2 + right**2)))


def over_seeds(measured):
    """Mean of each figure, and half its range under the name with "_spread"."""
    row = {}
    for key in measured[0]:
        values = [each[key] for each in measured]
        row[key], row[f"{key}_spread"] = statistics.mean(values), (max(values) - min(values)) / 2
    return row


def choose(rows):
    """The name of the candidate that the rule in this file's docstring takes."""
    picture = {name: (row["accuracy"] + row["iou"]) / 2 for name, row in rows.items()}
    good = [name for name in rows if picture[name] >= GOOD_ENOUGH * max(picture.values())]
    return min(good, key=lambda name: rows[name]["float16"] * rows[name][1])


def write_table(rows, real, chosen, options):
    head = ["generator", "parameters", "MB float32", "MB float16", "ms, 1 thread", "ms, 2 threads"]
    head += ["L1", "SSIM", "sharpness", "pixel accuracy", "class IoU"]
    table = [head, ["---"] * len(head)]
    table.append(["real photos", *["-"] * 7, "1.00", f"{real['accuracy']:.3f}", f"{real['iou']:.3f}"])
    for name, row in rows.items():
        cells = [f"**{name}**" if name == chosen else name, f"{row['parameters']:,}"]
        cells += [f"{row[key] / 1e6:.2f}" for key in ("none", "float16")] + [f"{row[key]:.1f}" for key in (1, 2)]
        for key, digits in (("l1", 1), ("ssim", 3), ("sharpness", 2), ("accuracy", 3), ("iou", 3)):
            spread = f" ± {row[key + '_spread']:.{digits}f}" if key in row and len(options.seeds) > 1 else ""
            cells.append(f"{row[key]:.{digits}f}{spread}" if key in row else "-")
        table.append(cells)
    text = (
        f"Facades, {options.image_size}x{options.image_size}: {options.steps} steps of the paper's recipe against its "
        f"discriminator with {DISCRIMINATOR_FILTERS} filters; {len(options.seeds)} seed(s), mean ± half their range. "
        f"Latency: the float16 file, median of {RUNS} runs in turns, on a CPU of {os.cpu_count()} cores; processor "
        "time for one thread, by the clock for two. A dash: too slow to be trained. In `mobile.jpg`, from left to "
        "right: label map, trained generators in the order of this table, photo.\n\n"
    )
    text += "".join(f"| {' | '.join(cells)} |\n" for cells in table) + f"\nChosen: {chosen}: `{CANDIDATES[chosen]}`.\n"
    with whole_file(options.results / "mobile.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(text)


def write_picture(columns, file):
    """A row for each shown pair: label map, each trained candidate in the table's order, photo."""
    shown = [index % len(columns[0]) for index in SHOWN]
    grid = np.concatenate([beside(*(small(pixels[index]) for pixels in columns)) for index in shown])
    with whole_file(file) as temporary:
        Image.fromarray(grid).save(temporary, format="JPEG", quality=80)


def small(pixels):
    return np.asarray(Image.fromarray(np.asarray(pixels)).resize((SHOWN_SIZE, SHOWN_SIZE), Image.Resampling.LANCZOS))


if __name__ == "__main__":
    main()
