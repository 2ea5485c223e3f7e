"""Train so that nothing is lost: when this program was killed, start it again, and it resumes at its last checkpoint.

python examples/resume.py facades/train --direction BtoA --directory run
"""

import argparse
from pathlib import Path

import keras
import tensorflow as tf

from keras_pix2pix import Pix2Pix, callbacks, paired_dataset, preset_data


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--direction", default="AtoB")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--every-steps", type=int, default=500)
    options = parser.parse_args(arguments)

    # Bit for bit the same as if it had never been stopped.
    keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()

    file = options.directory / "model.keras"
    if file.exists():
        model = keras.saving.load_model(file)
    else:
        model = Pix2Pix.from_preset("paper", (options.size, options.size, 3), direction=options.direction)
    epoch, step = callbacks.resume_point(model)

    data = {"image_size": options.size, "direction": options.direction, **preset_data("paper")}
    steps_per_epoch = len(paired_dataset(options.pairs, **data))
    model.fit(
        paired_dataset(options.pairs, repeat=True, initial_step=step, **data),
        steps_per_epoch=steps_per_epoch,
        initial_epoch=epoch,
        epochs=options.epochs,
        shuffle=False,
        callbacks=[callbacks.Checkpoint(file, every_steps=options.every_steps)],
    )


if __name__ == "__main__":
    main()
