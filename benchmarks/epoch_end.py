"""What does the end of an epoch cost, by part, and how much of the time is spent on it?

The callbacks of `callbacks.for_run`, as `keras-pix2pix train` has them, each timed at the end of every epoch, and
validation. Without further arguments: the paper's networks at 256x256 on drawn facades, epochs of 4 steps.

    python benchmarks/epoch_end.py
    python benchmarks/epoch_end.py --steps 400 --epochs 20

Printed, as Markdown: the median milliseconds of each part when it is done, how many epochs did it, and its share of the
time of all epochs. Callbacks leave epochs out where they would take more than a tenth of the time, each by itself.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import keras

from keras_pix2pix import Pix2Pix, callbacks, metrics, paired_dataset
from keras_pix2pix.data.synthetic import write_facades

NOTHING = 1e-3  # Seconds: what is left out takes less.


def timed(callback, seconds):
    """The callback, with the time that it takes at the end of each epoch added to a list."""
    done = callback.on_epoch_end

    def on_epoch_end(epoch, logs=None):
        start = time.perf_counter()
        done(epoch, logs)
        seconds.append(time.perf_counter() - start)

    callback.on_epoch_end = on_epoch_end
    return callback


class Validation(keras.callbacks.Callback):
    """Times the validation within an epoch."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def on_test_begin(self, logs=None):
        self.start = time.perf_counter()

    def on_test_end(self, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4, help="of an epoch (default 4)")
    parser.add_argument("--epochs", type=int, default=12, help="default 12; the first is not counted")
    parser.add_argument("--pairs", type=int, default=8, help="of validation (default 8)")
    parser.add_argument("--image-size", type=int, default=256, choices=(64, 128, 256), help="default 256")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_facades(f"{folder}/pairs", options.pairs, image_size=(options.image_size, options.image_size))
        data = paired_dataset(f"{folder}/pairs", image_size=options.image_size, repeat=True)
        shown = paired_dataset(f"{folder}/pairs", image_size=options.image_size, training=False)
        shape = (options.image_size, options.image_size, 3)
        model = Pix2Pix.from_preset("paper", shape, metrics=[metrics.PSNR(), metrics.SSIM()])
        watch = callbacks.for_run(Path(folder) / "run", shown, monitor="val_ssim", average=0.999)
        seconds = {type(each).__name__: [] for each in watch} | {"validation": []}
        watch = [timed(each, seconds[type(each).__name__]) for each in watch]
        ends = callbacks_of_time()
        model.fit(
            data,
            steps_per_epoch=options.steps,
            epochs=options.epochs,
            validation_data=shown,
            verbose=0,
            callbacks=[Validation(seconds["validation"]), *watch, ends],
        )
    print_table(seconds, ends.seconds, options)


def callbacks_of_time():
    """A callback whose `seconds` are the times when epochs end, after all others."""
    ends = keras.callbacks.Callback()
    ends.seconds = []
    ends.on_epoch_end = lambda epoch, logs=None: ends.seconds.append(time.perf_counter())
    return ends


def print_table(seconds, ends, options):
    total = ends[-1] - ends[0]
    print(f"{options.image_size}x{options.image_size}, {options.epochs - 1} epochs of {options.steps} steps\n")
    print("| part | ms | epochs | share of the time |\n|---|---|---|---|")
    for part, measured in seconds.items():
        done = [each for each in measured[1:] if each > NOTHING]
        median = f"{1000 * statistics.median(done):.0f}" if done else "-"
        print(f"| {part} | {median} | {len(done)} | {sum(measured[1:]) / total:.3f} |")


if __name__ == "__main__":
    main()
