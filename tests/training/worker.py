"""What one worker of `test_workers.py` does: it trains, and leaves its weights and its logs.

python worker.py FOLDER NAME EPOCHS DROPOUT KILL_AT
"""

import json
import os
import signal
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from keras_pix2pix import callbacks, fit_on_workers, paired_dataset, patchgan_discriminator, unet_generator

SHAPE = (16, 16, 3)
DATA = {"image_size": SHAPE[:2], "batch_size": 4}


def main(folder, name, epochs, dropout, kill_at):
    keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()
    directory = folder / name.partition("-")[0]
    logs = {}

    def build_networks():
        return (
            unet_generator(SHAPE, filters=2, num_downsamples=3, dropout=dropout),
            patchgan_discriminator(SHAPE, filters=2, num_layers=1),
        )

    def compile_model(model):
        model.compile(keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05), lambda_l1=10.0, metrics=["mse"])

    def fit(model, own_directory):
        done = int(model.generator_optimizer.iterations.numpy()) // 2
        history = model.fit(
            paired_dataset(folder / "pairs", **DATA, initial_epoch=done),
            validation_data=paired_dataset(folder / "pairs", **DATA, training=False),
            epochs=epochs,
            initial_epoch=done,
            shuffle=False,
            verbose=0,
            callbacks=[callbacks.Checkpoint(own_directory / "model.keras"), Kill(kill_at)],
        )
        logs.update(history.history)

    model = fit_on_workers(build_networks, compile_model, fit, directory, weights=directory / "model.keras")
    np.savez(folder / f"{name}.npz", *model.get_weights())
    (folder / f"{name}.json").write_text(json.dumps(logs))


class Kill(keras.callbacks.Callback):
    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.generator_optimizer.iterations.numpy()) == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
