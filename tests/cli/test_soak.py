"""Twelve kills at random moments, and the run ends like one that was left alone."""

import contextlib
import os
import random

import numpy as np
import pytest
from resume import MODEL_FILE, arrays_of, finish, history_of, kill

from keras_pix2pix.data.synthetic import write_facades

KILLS = 12
RECORDS = "vars/records"
STARTING = 2  # So many of them while the program is starting.


@contextlib.contextmanager
def unread_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


@pytest.mark.slow
def test_twelve_kills_leave_no_trace(tmp_path):
    write_facades(tmp_path / "pairs", 5, image_size=(32, 32))
    options = [
        *(str(tmp_path / "pairs"), "--validation", str(tmp_path / "pairs"), "--image-size", "32"),
        *("--epochs", "30", "--steps-per-epoch", "20", "--checkpoint-every", "3", "--schedule", "cosine"),
        *("--set", "generator.filters=2", "--set", "discriminator.filters=2"),
        *("--average", "0.9", "--monitor", "val_g_l1"),
    ]
    chance = random.Random(0)
    starting = chance.sample(range(KILLS), STARTING)
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    with open(tmp_path / "log.txt", "w") as log:
        finish(alone, options, log)
        places = []
        for number in range(KILLS):
            moment = (0, chance.uniform(0, 8)) if number in starting else (chance.randint(1, 3), chance.uniform(0, 0.3))
            # Half of the processes write into a pipe that nobody reads.
            with unread_pipe() if number % 2 else contextlib.nullcontext(log) as output:
                places.append(kill(killed, options, log, *moment, output=output))
        finish(killed, options, log)
    assert places == sorted(places)
    assert sum(step > 0 for _, step in places) > KILLS / 2, places  # In the middle of epochs.
    for file in (MODEL_FILE, "best.keras", "average.keras"):
        expected, found = arrays_of(alone / file), arrays_of(killed / file)
        assert expected.keys() == found.keys()
        for name, array in expected.items():
            if name != RECORDS:  # Which name the run.
                np.testing.assert_array_equal(found[name], array, err_msg=f"{file}: {name}")
    assert {path.name for path in killed.iterdir()} == {path.name for path in alone.iterdir()}
    assert history_of(killed) == history_of(alone)
    # Epochs as short as these have a picture now and then, but the first and the last always have one.
    in_both = {
        path.name for path in (alone / "samples").glob("epoch_*.png") if (killed / "samples" / path.name).exists()
    }
    assert {"epoch_0000.png", "epoch_0030.png"} <= in_both
    for name in in_both:
        assert (killed / "samples" / name).read_bytes() == (alone / "samples" / name).read_bytes(), name
