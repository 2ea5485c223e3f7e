"""How fast are pairs of large photographs fitted, and in how much memory?

    python benchmarks/fitting.py [--pairs 16] [--rounds 3] [--size 3000x4000]

Draws pairs of JPEG files of 3000x4000 pixels in two folders, and reads them with `paired_dataset(image_size=256)` by
each `fit`, in processes of their own, in turns. "cover, decoded whole" and "pad, decoded whole" lack the reduction
while decoding; "without cache" decodes each file in every epoch, as where more pairs than fit into memory are trained
on. Printed: pairs a second in the first epoch and in later ones, and the memory that reading takes beyond the
program's own, medians of the rounds.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from keras_pix2pix.data import fitting
from keras_pix2pix.data.pipeline import paired_dataset

WHOLE = "decoded whole"
WITHOUT_CACHE = "without cache"
SIDES = [
    *[f"{fit}{more}" for fit in ("stretch", "cover", "pad", "crop") for more in ("", f", {WITHOUT_CACHE}")],
    *[f"{fit}, {WHOLE}, {WITHOUT_CACHE}" for fit in ("cover", "pad")],
]
EPOCHS = 2  # After the first.


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", default="3000x4000", help="height and width of the photographs")
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(measured(Path(options.folder), options.side)))
        return
    results = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        draw_photographs(Path(folder), options.pairs, tuple(map(int, options.size.split("x"))))
        for _ in range(options.rounds):
            for side, rows in results.items():
                command = [sys.executable, __file__, "--folder", folder, "--side", side]
                rows.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
    print("| fit | pairs a second, first epoch | later ones | memory |\n|---|---|---|---|")
    for side, rows in results.items():
        first, later, memory = (statistics.median(values) for values in zip(*rows, strict=True))
        print(f"| {side} | {first:.1f} | {later:.1f} | {memory / 2**30:.2f} GB |")


def draw_photographs(folder, count, size):
    """Pairs of smooth pictures with noise, about as large as a camera's files."""
    for side in ("a", "b"):
        (folder / side).mkdir()
    for number in range(count):
        rng = np.random.default_rng(number)
        smooth = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize(size[::-1])
        pixels = np.clip(np.asarray(smooth) + rng.normal(0, 6, (*size, 1)), 0, 255).astype(np.uint8)
        for side in ("a", "b"):
            Image.fromarray(pixels).save(folder / side / f"{number}.jpg", quality=90)


def measured(folder, side):
    """(pairs a second in the first epoch, in later ones, bytes of memory)."""
    fit, *more = side.split(", ")
    if WHOLE in more:
        fitting.FITS[fit].reduction = None
    dataset = paired_dataset(
        folder / "a", folder / "b", image_size=256, fit=fit, cache_bytes=0 if WITHOUT_CACHE in more else 2**31
    )
    before, rates = peak_memory(), []
    for _ in range(1 + EPOCHS):
        start = time.perf_counter()
        count = sum(1 for _ in dataset)
        rates.append(count / (time.perf_counter() - start))
    return rates[0], statistics.median(rates[1:]), peak_memory() - before


def peak_memory():
    """In bytes; `resource.getrusage` would count what the parent process had."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
