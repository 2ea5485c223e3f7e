"""Train the paper's networks on the CMP facades, or on any folder of side-by-side files, and watch TensorBoard.

python examples/train_facades.py facades/train --validation facades/test --directory run
tensorboard --logdir run/logs
"""

import argparse
from pathlib import Path

import keras

from keras_pix2pix import Pix2Pix, callbacks, paired_dataset, preset_data


def main(arguments=None):
    """The paper's facades: labels are the right half of each file, the photo the left one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--directory", type=Path, default=Path("run"))
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=200)
    options = parser.parse_args(arguments)

    data = {**preset_data("paper"), "image_size": options.size, "direction": "BtoA"}
    validation = paired_dataset(options.validation, training=False, **data)
    model = Pix2Pix.from_preset("paper", image_shape=(options.size, options.size, 3), direction="BtoA")
    model.fit(
        paired_dataset(options.pairs, **data),
        validation_data=validation,
        epochs=options.epochs,
        shuffle=False,
        callbacks=[
            callbacks.ImageSummary(options.directory / "logs", validation),
            keras.callbacks.TensorBoard(options.directory / "logs"),
            callbacks.Checkpoint(options.directory / "model.keras"),
        ],
    )


if __name__ == "__main__":
    main()
