"""How visible are the seams between tiles, and how much memory does a large picture take?

Seams: two small networks with instance norm, a U-Net and a ResNet, learn to invert drawn pictures of slow waves with
grain. A larger picture is then translated whole, in tiles, and in tiles with fixed statistics. Printed for the tiles:

- step: of what differs from the whole picture's result, the mean change across an overlap of two tiles, as a multiple
  of the mean change over the same distance within tiles: 1 where no seam can be measured;
- error: mean absolute difference from the true picture in grey levels.

Memory: a 10,000 x 10,000 PNG file becomes another, in tiles of 512 with a U-Net of 2 filters, in a process of its own.
Printed: seconds, and the process's peak memory with TensorFlow in it.

    python benchmarks/tiling.py
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

TILE = 96
OVERLAPS = (0, 16, 32)
SIZE = (384, 480)
TRAINING_SIZE = 64
TRAINING_PICTURES = 100
EPOCHS = 12
LARGE = 10_000


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--large", nargs=2, metavar=("SOURCE", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.large:
        print(json.dumps(translate_large(*arguments.large)))
        return
    print("network  overlap  statistics   step  error")
    for name in ("unet", "resnet"):
        measure_seams(name)
    measure_memory()


def measure_seams(name):
    model = trained(name)
    pixels = waves(*SIZE, seed=TRAINING_PICTURES)
    truth = 255.0 - pixels
    whole = model.translate(pixels).astype(float)
    print(f"{name:<7}        -  whole           -  {abs(whole - truth).mean():5.2f}")
    for overlap in OVERLAPS:
        for fixed in (False, True):
            generated = model.translate(pixels, tile=TILE, overlap=overlap, fixed_statistics=fixed).astype(float)
            step, error = step_across(generated - whole, overlap), abs(generated - truth).mean()
            print(f"{name:<7}  {overlap:>7}  {'fixed' if fixed else 'of each tile':<12} {step:5.2f}  {error:5.2f}")


def trained(name):
    import keras

    from keras_pix2pix import Pix2Pix, resnet_generator, unet_generator

    keras.utils.set_random_seed(0)
    shape = (TRAINING_SIZE, TRAINING_SIZE, 3)
    if name == "unet":
        generator = unet_generator(shape, filters=8, num_downsamples=4, dropout=0.0)
    else:
        generator = resnet_generator(shape, filters=4, num_blocks=2)
    model = Pix2Pix(generator)
    model.compile(keras.optimizers.Adam(2e-3), lambda_gan=0.0)
    pictures = [waves(*shape[:2], seed) for seed in range(TRAINING_PICTURES)]
    source = np.stack(pictures).astype(np.float32) / 127.5 - 1
    model.fit(source, -source, batch_size=2, epochs=EPOCHS, verbose=0)
    return model


def waves(height, width, seed):
    """Pixels that grow brighter and darker over some 150 of them, with grain."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    levels = np.full((height, width), 128.0)
    for _ in range(6):
        down, right = rng.normal(0, 1 / 150, 2)
        levels += rng.uniform(10, 30) * np.sin(2 * np.pi * (down * rows + right * columns) + rng.uniform(0, 6))
    levels = levels[..., np.newaxis] + rng.uniform(-20, 20, 3) + rng.normal(0, 6, (height, width, 1))
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def step_across(difference, overlap):
    distance = max(overlap, 1)
    steps = abs(difference[:, distance:] - difference[:, :-distance]).mean(axis=(0, 2))
    ends = np.arange(TILE, difference.shape[1], TILE - overlap)
    across = np.isin(np.arange(len(steps)) + distance, ends)
    return steps[across].mean() / steps[~across].mean()


def measure_memory():
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "large.png"
        pixels = np.broadcast_to(waves(1, LARGE, seed=0), (LARGE, LARGE, 3))
        Image.fromarray(np.ascontiguousarray(pixels)).save(source, compress_level=1)
        program = [sys.executable, __file__, "--large", source, Path(folder) / "generated"]
        printed = subprocess.run(program, check=True, capture_output=True, text=True).stdout
    seconds, megabytes = json.loads(printed.splitlines()[-1])
    print(f"{LARGE} x {LARGE}: {seconds:.0f} s, {megabytes:.0f} MB at most")


def translate_large(source, folder):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from keras_pix2pix import unet_generator
    from keras_pix2pix.inference.translation import translate

    generator = unet_generator((64, 64, 3), filters=2, num_downsamples=4)
    start = time.perf_counter()
    translate(generator, source, folder, tile=512, overlap=64, fixed_statistics=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # Kilobytes; bytes on a Mac.
    return time.perf_counter() - start, peak / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main()
