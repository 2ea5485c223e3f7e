"""Colours of label maps, blurred or not."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.deploy.parity import _drawn_sources
from keras_pix2pix.dominant_colors import dominant_colors


def blurred(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG", quality=80)
    return np.asarray(Image.open(file))


def test_colours_come_by_frequency_and_exactly_where_there_are_few():
    pixels = np.zeros((2, 8, 8, 3), np.uint8)
    pixels[0, :2] = (1, 2, 3)
    pixels[1, 0, 0] = (250, 9, 8)
    assert dominant_colors(pixels) == [(0, 0, 0), (1, 2, 3), (250, 9, 8)]


def test_what_jpeg_has_blurred_comes_out_clean():
    labels = np.stack([facade(seed, (256, 256))[0] for seed in range(8)])
    drawn = {tuple(color) for color in np.unique(labels.reshape(-1, 3), axis=0).tolist()}
    found = dominant_colors(np.stack([blurred(each) for each in labels]))
    for color in found:
        assert min(np.abs(np.subtract(color, each)).max() for each in drawn) <= 8, color
    assert len(found) >= len(drawn) - 2  # Without those that only lines of a few pixels have.


def test_no_more_than_asked_for():
    assert len(dominant_colors(_drawn_sources((64, 64), 3), most=4)) == 4


def test_noise_has_colours_too():
    noise = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    assert 1 <= len(dominant_colors(noise)) <= 16


@pytest.mark.skipif("KERAS_PIX2PIX_FACADES" not in os.environ, reason="KERAS_PIX2PIX_FACADES names no facades")
def test_eight_facades_give_their_twelve_colours():
    files = sorted((Path(os.environ["KERAS_PIX2PIX_FACADES"]) / "test").iterdir())[:8]
    found = dominant_colors(np.stack([np.asarray(Image.open(file).convert("RGB"))[:, 256:] for file in files]))
    # In the spectrum from dark blue to dark red, in steps of about 80 levels.
    spectrum = [(0, 0, 222), (0, 47, 255), (0, 127, 255), (0, 207, 255), (32, 255, 223), (111, 255, 143)]
    spectrum += [(191, 255, 63), (255, 239, 0), (255, 159, 0), (255, 79, 0), (255, 0, 0), (174, 0, 0)]
    assert len(found) == 12
    for color in spectrum:
        assert min(np.abs(np.subtract(color, each)).max() for each in found) <= 10, color
