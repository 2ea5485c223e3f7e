"""How much longer does `translate` take than the network itself?

The paper's generator on the CPU. Measured alternately, in one process:

- network: the generator as a `tf.function`, on pictures in memory, one by one;
- folder: `model.translate` from a folder of PNG files to another: reading, the network, writing;
- call: `model.translate` on one picture in memory, again and again, as a server would;
- predict: `model.predict` likewise.

    python benchmarks/translate.py
    python benchmarks/translate.py --preset mobile

Printed: the median milliseconds a picture of each over the rounds; their ratios to the network; how much the process's
memory grew from the first calls to the last. Leave the machine alone meanwhile.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_pix2pix import Pix2Pix
from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.images import to_image, write_png


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="paper", help="default paper")
    parser.add_argument("--image-size", type=int, default=256, help="default 256")
    parser.add_argument("--pictures", type=int, default=30, help="of a round (default 30)")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    options = parser.parse_args()
    size = (options.image_size, options.image_size)
    model = Pix2Pix.from_preset(options.preset, (*size, 3))
    pictures = [facade(seed, size)[1] for seed in range(options.pictures)]
    with tempfile.TemporaryDirectory() as folder:
        print_table(*measured(sides(model, pictures, Path(folder)), options))


def sides(model, pictures, folder):
    """Name -> a function that translates each picture."""
    (folder / "pictures").mkdir()
    for number, pixels in enumerate(pictures):
        write_png(folder / "pictures" / f"{number}.png", pixels)
    images = [to_image(pixels).numpy()[np.newaxis] for pixels in pictures]
    network = tf.function(lambda image: model.generator(image, training=False))
    return {
        "network": lambda: [network(image).numpy() for image in images],
        "folder": lambda: model.translate(folder / "pictures", folder / "generated"),
        "call": lambda: [model.translate(pixels) for pixels in pictures],
        "predict": lambda: [model.predict(image, verbose=0) for image in images],
    }


def measured(functions, options):
    """Name -> milliseconds a picture of each round, and the megabytes by which memory grew after the first round."""
    found = {name: [] for name in functions}
    for number in range(options.rounds + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            # The first round traces the graphs.
            if number:
                found[name].append(1000 * (time.perf_counter() - start) / options.pictures)
        if not number:
            before = peak_megabytes()
    return found, peak_megabytes() - before


def peak_megabytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # Kilobytes; bytes on a Mac.
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def print_table(found, growth):
    medians = {name: statistics.median(each) for name, each in found.items()}
    print("| side | ms a picture | of the network's |\n|---|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {median:.0f} | {median / medians['network']:.2f} |")
    print(f"\nPeak memory grew by {growth:.0f} MB after the first round.")


if __name__ == "__main__":
    main()
