"""A long training doesn't grow."""

import gc
from pathlib import Path

import keras
import pytest

from keras_pix2pix import callbacks, paired_dataset
from keras_pix2pix.data.synthetic import write_facades

pytestmark = pytest.mark.slow
STEPS, FIRST = 5000, 1000
MOST = 12  # MB in 4000 steps: 3 KB a step, of which the allocator's own noise is the greater part.
STATUS = Path("/proc/self/status")


class Memory(keras.callbacks.Callback):
    """Resident MB after some steps."""

    def on_train_begin(self, logs=None):
        self.steps, self.at = 0, {}

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps in (FIRST, STEPS):
            gc.collect()
            (kilobytes,) = (line.split()[1] for line in STATUS.read_text().splitlines() if line.startswith("VmRSS"))
            self.at[self.steps] = int(kilobytes) / 1000


@pytest.mark.skipif(not STATUS.exists(), reason="memory is read from /proc")
def test_memory_is_flat_over_thousands_of_steps(make_model, tmp_path):
    write_facades(tmp_path / "pairs", 4, image_size=(32, 32))
    data = paired_dataset(tmp_path / "pairs", image_size=32, repeat=True)
    shown = paired_dataset(tmp_path / "pairs", image_size=32, training=False)
    model, memory = make_model(filters=2), Memory()
    model.compile()
    watch = callbacks.for_run(tmp_path / "run", shown, average=0.99, checkpoint_every=10 * STEPS)
    model.fit(data, steps_per_epoch=STEPS // 2, epochs=2, verbose=0, callbacks=[memory, *watch])
    assert memory.at[STEPS] - memory.at[FIRST] < MOST, memory.at
