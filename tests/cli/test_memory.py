"""A long run needs no more memory than a short one."""

import ctypes
import gc
import os
import sys
from pathlib import Path

import keras
import pytest

from keras_pix2pix import callbacks
from keras_pix2pix.data.synthetic import write_facades

FROM, TO = 15, 45  # Epochs.
GROWTH = 10  # MB. Of what is made anew at every checkpoint, TensorFlow kept 0.15.


class Memory(keras.callbacks.Callback):
    """What this process holds, in MB, after some of the epochs."""

    def __init__(self):
        super().__init__()
        self.after = {}

    def on_epoch_begin(self, epoch, logs=None):
        if epoch in (FROM, TO - 1):
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)  # What is free already may be anything.
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.after[epoch] = pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has /proc.")
def test_memory_does_not_grow_with_averages_and_checkpoints(run, tmp_path, monkeypatch):
    write_facades(tmp_path / "pairs", 3, image_size=(32, 32))
    memory, callbacks_of = Memory(), callbacks.for_run
    monkeypatch.setattr(callbacks, "for_run", lambda *rest, **options: [memory, *callbacks_of(*rest, **options)])
    code, _, errors = run(
        *("train", tmp_path / "pairs", "--run-dir", tmp_path / "run", "--validation", tmp_path / "pairs"),
        *("--image-size", 32, "--epochs", TO, "--average", 0.9, "--checkpoint-every", 1),
        *("--set", "generator.filters=2", "--set", "discriminator.filters=2"),
    )
    assert code == 0, errors
    assert memory.after[TO - 1] - memory.after[FROM] < GROWTH, memory.after
