"""How many pairs a second does the input pipeline deliver, beside a PyTorch DataLoader?

Measured: one pass after another over a folder of side-by-side files, nothing done with the batches. Our side is
`paired_dataset(training=True)` with the paper's recipe: 256x256, batch 1, both sides enlarged to 286 by a bicubic
filter, the same random crop and mirror. The other is a `torch.utils.data.DataLoader` with 2 workers that take the
same steps with Pillow, written for this file. Ours decodes and enlarges each file once and keeps the pixels in memory;
PyTorch's way does it again in every epoch. So the first epoch is printed apart from the later ones, the steady state.

    pip install -e .[benchmark]
    python benchmarks/input_pipeline.py
    python benchmarks/input_pipeline.py --directory facades/train --direction BtoA

The pairs are 400 drawn ones, as PNG files, unless `--pairs` gives another number or `--directory` a folder. Without
either, the environment variable KERAS_PIX2PIX_FACADES may name the folder of the `facades` data set, of which `train/`
is read, "BtoA". Every side runs in processes of its own, one after the other: keras, torch, keras, torch and so on, in
the same environment, on files that the system has read before. Leave the machine alone meanwhile.

Printed: pairs a second of each process, in its first epoch (from making the data set, workers and all, but without
imports) and in the later ones (median); each side's median of medians; the ratios, over 1 where ours is faster. Without
PyTorch only our figures are printed, and the exit code is 2.
"""

import argparse
import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from keras_pix2pix.data.folders import list_picture_files
from keras_pix2pix.data.synthetic import write_facades

IMAGE_SIZE = 256
ENLARGED_SIZE = 286
WORKERS = 2
DRAWN_PAIRS = 400  # As many as the facades data set has for training.
FACADES_VARIABLE = "KERAS_PIX2PIX_FACADES"


def main():
    arguments = parse_arguments()
    if arguments.side:
        make_dataset = SIDES[arguments.side](arguments.directory, arguments.direction)
        print(json.dumps(time_epochs(make_dataset, arguments.epochs)))
        return
    has_torch = importlib.util.find_spec("torch") is not None
    results = {side: [] for side in SIDES if side != "torch" or has_torch}
    with tempfile.TemporaryDirectory() as temporary:
        directory, direction = choose_pairs(arguments.directory, arguments.direction, arguments.pairs, temporary)
        for number in range(1, arguments.rounds + 1):
            for side, measured in results.items():
                measured.append(run_side(side, directory, direction, arguments.epochs))
                print(f"round {number}  {side:5}  {described(measured[-1:])}", flush=True)
    print_summary(results)
    if not has_torch:
        print(
            "PyTorch isn't installed: its side was skipped. Install it with `pip install -e .[benchmark]`.",
            file=sys.stderr,
        )
        raise SystemExit(2)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    pairs = parser.add_mutually_exclusive_group()
    pairs.add_argument("--pairs", type=int, help=f"number of pairs to draw (default {DRAWN_PAIRS})")
    pairs.add_argument("--directory", help="folder of side-by-side files to read instead")
    parser.add_argument("--direction", choices=("AtoB", "BtoA"), help="which half of a file is the source")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each side (default 3)")
    parser.add_argument("--epochs", type=int, default=3, help="epochs after the first in a process (default 3)")
    parser.add_argument("--side", choices=tuple(SIDES), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.epochs < 1:
        parser.error(f"--rounds and --epochs must be 1 or more. Received: {arguments.rounds} and {arguments.epochs}.")
    return arguments


def choose_pairs(directory, direction, drawn_pairs, temporary):
    """The folder to read and its direction; drawn pairs go to the folder `temporary`."""
    facades = os.environ.get(FACADES_VARIABLE)
    if directory is None and drawn_pairs is None and facades:
        directory, direction = Path(facades) / "train", direction or "BtoA"
    direction = direction or "AtoB"
    drawn = "drawn " if directory is None else ""
    if directory is None:
        count = DRAWN_PAIRS if drawn_pairs is None else drawn_pairs
        write_facades(temporary, count, image_size=(IMAGE_SIZE, IMAGE_SIZE), direction=direction)
        directory = temporary
    # Read once, so that the first process doesn't pay for the disk.
    sizes = [len(path.read_bytes()) for path in list_picture_files(directory)]
    print(
        f"{len(sizes)} {drawn}pairs, {sum(sizes) / 2**20:.0f} MiB, {direction}; {os.cpu_count()} cores; "
        f"jitter {ENLARGED_SIZE} to {IMAGE_SIZE}, batch 1",
        flush=True,
    )
    return directory, direction


def run_side(side, directory, direction, epochs):
    command = [sys.executable, __file__, "--side", side, "--directory", str(directory)]
    command += ["--direction", direction, "--epochs", str(epochs)]
    # TensorFlow's greetings are kept from the screen, but not an error.
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        raise SystemExit(f"The {side} side failed:\n{finished.stderr}")
    return json.loads(finished.stdout.splitlines()[-1])


def print_summary(results):
    print("\nmedian of medians")
    for side, measured in results.items():
        print(f"{side:5}  {described(measured)}")
    if len(results) == 2:
        first, later = (
            median_rate(results["keras"], key) / median_rate(results["torch"], key) for key in ("first", "later")
        )
        print(f"keras/torch  first epoch {first:.2f}, later epochs {later:.2f}")


def described(measured):
    first, later = median_rate(measured, "first"), median_rate(measured, "later")
    return f"first epoch {first:6.0f} pairs/s, later epochs {later:6.0f} pairs/s"


def median_rate(measured, key):
    return statistics.median(each[key] for each in measured)


def time_epochs(make_dataset, later_epochs):
    """Pairs a second in the first pass over a data set, its making included, and the median of the later ones."""
    rates = []
    start = time.perf_counter()
    dataset = make_dataset()
    for _ in range(1 + later_epochs):
        pairs = sum(source.shape[0] for source, _ in dataset)
        end = time.perf_counter()
        rates.append(pairs / (end - start))
        start = end
    return {"first": rates[0], "later": statistics.median(rates[1:])}


def keras_side(directory, direction):
    from keras_pix2pix import paired_dataset

    size, jitter = (IMAGE_SIZE, IMAGE_SIZE), ENLARGED_SIZE / IMAGE_SIZE
    # The rest is the paper's by default: batch 1, bicubic, mirror.
    return lambda: paired_dataset(directory, image_size=size, direction=direction, jitter=jitter, training=True)


def torch_side(directory, direction):
    from torch.utils.data import DataLoader

    return lambda: DataLoader(
        SideBySideFiles(directory, direction), batch_size=1, shuffle=True, num_workers=WORKERS, persistent_workers=True
    )


class SideBySideFiles:
    """What a DataLoader reads from: (source, target) tensors, at the top of the file so that workers can import it."""

    def __init__(self, directory, direction):
        self.paths = list_picture_files(directory)
        self.source_is_left = direction == "AtoB"

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        # PyTorch seeds `random` in each worker.
        left, top = (random.randint(0, ENLARGED_SIZE - IMAGE_SIZE) for _ in range(2))
        box, mirrored = (left, top, left + IMAGE_SIZE, top + IMAGE_SIZE), random.random() < 0.5
        with Image.open(self.paths[index]) as opened:
            picture = opened.convert("RGB")
        width, height = picture.size
        halves = picture.crop((0, 0, width // 2, height)), picture.crop((width // 2, 0, width, height))
        source, target = halves if self.source_is_left else halves[::-1]
        return as_tensor(source, box, mirrored), as_tensor(target, box, mirrored)


def as_tensor(side, box, mirrored):
    import torch

    side = side.resize((ENLARGED_SIZE, ENLARGED_SIZE), Image.Resampling.BICUBIC).crop(box)
    if mirrored:
        side = side.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = torch.from_numpy(np.array(side)).permute(2, 0, 1).contiguous()
    return pixels.float().div_(127.5).sub_(1)


SIDES = {"keras": keras_side, "torch": torch_side}


if __name__ == "__main__":
    main()
