"""`translate` in tiles: what it equals, how its seams measure, and what it needs."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.images import to_image, to_pixels, write_png
from keras_pix2pix.inference import translation
from keras_pix2pix.inference.fixed_statistics import FixedStatistics
from keras_pix2pix.inference.translation import translate
from keras_pix2pix.networks.normalization import _instance_normalization


def draw(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def slope(height, width):
    """A picture that grows brighter from one corner to the other."""
    rows, columns = np.mgrid[0:height, 0:width]
    levels = 40 + 160 * (rows / height + columns / width) / 2
    return np.rint(levels[..., np.newaxis] + [0, 10, 20]).astype(np.uint8)


@pytest.fixture
def convolutions():
    """A generator that reaches 2 pixels far, but for its instance norm, which sees the whole picture."""
    source = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, padding="same", kernel_initializer="glorot_uniform")(source)
    x = keras.layers.Activation("tanh")(_instance_normalization()(x))
    return keras.Model(source, keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(x))


@pytest.mark.parametrize("overlap", [8, 16, 20])
def test_with_the_statistics_of_one_picture_tiles_are_those_of_the_whole(convolutions, overlap):
    fixed = FixedStatistics(convolutions)
    pixels = slope(75, 120)
    fixed.measure(to_image(draw(1, 16, 16, 3)))
    expected = to_pixels(fixed.generator(to_image(pixels[np.newaxis])))[0].numpy().astype(int)
    tiled = translate(convolutions, pixels, tile=32, overlap=overlap)
    assert abs(tiled - expected).max() > 5
    # An overlap of 8 leaves out 2 pixels at the border of a tile: just as far as the convolutions reach.
    patches = translation.blended_patches(
        lambda top, bottom: to_image(pixels[top:bottom]).numpy(),
        (75, 120),
        lambda image: fixed.generator(image[np.newaxis])[0].numpy(),
        32,
        overlap,
    )
    for rows, columns, image in patches:
        np.testing.assert_array_equal(to_pixels(image), expected[rows, columns])


def test_a_picture_that_fits_into_a_tile_is_translated_as_a_whole(make_model):
    model = make_model()
    for size in ((20, 30), (64, 64), (33, 64)):
        pixels = draw(*size, 3)
        expected = model.translate(pixels)
        np.testing.assert_array_equal(model.translate(pixels, tile=64, overlap=8), expected)
        fixed = model.translate(pixels, tile=64, overlap=8, fixed_statistics=True)
        np.testing.assert_allclose(fixed.astype(int), expected, atol=1)


def seam(difference, tile, overlap):
    """How much larger the steps across the overlaps of tiles are than steps of the same length within tiles."""
    steps = abs(difference[:, overlap:] - difference[:, :-overlap]).mean(axis=(0, 2))
    ends = np.arange(tile, difference.shape[1] - tile // 2, tile - overlap)
    across = np.isin(np.arange(len(steps)) + overlap, ends)
    return steps[across].mean() / steps[~across].mean()


def test_fixed_statistics_take_the_seams_away(convolutions):
    pixels = slope(96, 272)
    whole = translate(convolutions, pixels).astype(float)
    own, fixed = (
        translate(convolutions, pixels, tile=64, overlap=12, fixed_statistics=fixed) - whole for fixed in (False, True)
    )
    assert seam(own, 64, 12) > 2
    assert seam(fixed, 64, 12) < 1.1
    assert abs(fixed).mean() < abs(own).mean() / 2


def test_a_wider_overlap_makes_the_step_between_pixels_smaller(convolutions):
    pixels = slope(64, 160)
    steps = [
        abs(np.diff(translate(convolutions, pixels, tile=64, overlap=overlap)[:, 8:-8].astype(float), axis=1))
        .mean((0, 2))
        .max()
        for overlap in (0, 32)
    ]
    assert steps[1] < steps[0] / 2


TILINGS = [  # Encodings of both sides, and whether statistics are fixed.
    ("rgb", False),
    ("rgba", True),
    ("gray16", False),
    ("classes:4", True),
    ("palette:#000000,#ff0000", False),
    ("values:2:-1:1", True),
]


@pytest.mark.parametrize(("word", "fixed_statistics"), TILINGS)
def test_pictures_of_any_encoding_are_tiled(make_encoded_model, tmp_path, monkeypatch, word, fixed_statistics):
    monkeypatch.setattr(translation, "_IN_MEMORY_AT_MOST", 100)  # The result waits on the disk.
    model = make_encoded_model(word, word)
    encoding = model.source_encoding
    raw = encoding.from_pixels(draw(75, 70, 3))
    path = encoding.write(tmp_path / "in" / "a", raw)
    options = {"tile": 8, "overlap": 4, "fixed_statistics": fixed_statistics}
    generated = model.translate(raw, **options)
    assert (generated.dtype, generated.shape) == (encoding.raw_dtype, (75, 70, encoding.raw_channels))
    encoding.checked(generated, "what was generated")
    (written,) = model.translate(path, tmp_path / "out", **options)
    np.testing.assert_allclose(
        encoding.raw(encoding.open(written), written), model.translate(path, **options), atol=0.5
    )
    assert [each.name for each in (tmp_path / "out").iterdir()] == [written.name]
    assert (generated != model.translate(raw)).any()


def test_classes_are_chosen_after_tiles_are_blended(make_encoded_model, monkeypatch):
    model = make_encoded_model("rgb", "classes:3")
    votes = iter([[0.6, 0.5, 0.0], [0.0, 0.5, 0.6]])

    def patches(read_rows, size, generate, *tiling):
        image = np.mean([np.full((16, 16, 3), next(votes)) for _ in range(2)], axis=0)
        assert generate(draw(16, 16, 3)).shape == (16, 16, 3)
        yield slice(None), slice(None), image

    monkeypatch.setattr(translation, "blended_patches", patches)
    np.testing.assert_array_equal(model.translate(draw(16, 16, 3), tile=16, overlap=0), 1)


def test_stacked_sources_are_tiled_from_arrays_and_files(make_encoded_model, tmp_path):
    model = make_encoded_model("rgb+classes:4")
    photo, labels = draw(75, 70, 3), draw(75, 70, 1) % 4
    write_png(tmp_path / "photo.png", photo)
    np.save(tmp_path / "labels.npy", labels)
    stack = np.concatenate([photo, labels], axis=-1)
    files = [tmp_path / "photo.png", tmp_path / "labels.npy"]
    generated = model.translate(stack, tile=8, overlap=4)
    np.testing.assert_array_equal(model.translate(files, tile=8, overlap=4), generated)
    for inputs in (stack, files):
        fixed = model.translate(inputs, tile=8, overlap=4, fixed_statistics=True)
        assert (fixed != generated).any()


def test_the_source_half_of_a_pair_is_tiled(make_model, tmp_path):
    model = make_model(direction="BtoA")
    left, right = draw(50, 70, 3, seed=1), draw(50, 70, 3, seed=2)
    write_png(tmp_path / "pair.png", np.concatenate([left, right], axis=1))
    generated = model.translate(tmp_path / "pair.png", side_by_side=True, tile=32, overlap=8)
    np.testing.assert_array_equal(generated, model.translate(right, tile=32, overlap=8))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tile": 44}, "`tile` must be a multiple of 8, as the network takes it. Received: tile=44"),
        ({"tile": 64, "overlap": 64}, "`overlap` must be an integer from 0 to less than `tile`.*overlap=64, tile=64"),
        ({"fixed_statistics": True}, "Received: tile=None. Pass `tile`, or leave `fixed_statistics` out"),
    ],
)
def test_tiles_that_do_not_suit_are_refused_before_files_are_read(make_model, options, words):
    with pytest.raises(ValueError, match=words):
        make_model().translate("nowhere.png", **options)


def test_a_network_without_instance_norm_has_no_statistics_to_fix(make_model):
    with pytest.raises(ValueError, match="with no instance norm. Leave `fixed_statistics` out"):
        make_model(normalization=None).translate(draw(64, 64, 3), tile=32, overlap=8, fixed_statistics=True)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_shows_how_far_it_has_come(make_model, capsys, monkeypatch, is_terminal):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    if is_terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    make_model().translate(draw(64, 64, 3), tile=32, overlap=8)
    printed = capsys.readouterr()
    assert ("Translating tiles" in printed.err) == is_terminal
    assert printed.out == ""


LARGE = """
import re, resource, sys
from pathlib import Path
import numpy as np
from PIL import Image
from keras_pix2pix import unet_generator
from keras_pix2pix.inference.translation import translate

source, output = sys.argv[1:]
generator = unet_generator((64, 64, 3), filters=2, num_downsamples=4)
(path,) = translate(generator, source, output, tile=512, overlap=64, fixed_statistics=True)
# Linux counts into ru_maxrss what the process that started this one had, and into VmHWM only this one's own.
status = Path("/proc/self/status")
own = re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1] if status.exists() else None
print(own or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_ten_thousand_pixels_square_take_less_than_two_gigabytes(tmp_path):
    rows = draw(1, 10_000, 3)
    Image.fromarray(np.broadcast_to(rows, (10_000, 10_000, 3)).copy()).save(tmp_path / "large.png", compress_level=1)
    program = [sys.executable, "-c", LARGE, tmp_path / "large.png", tmp_path / "out"]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    assert int(done.stdout) < 2 * 1000 * 1000
    with Image.open(tmp_path / "out" / "large.png") as picture:
        assert picture.size == (10_000, 10_000)
