"""Every encoding all the way: files, data set, a step, the model file, translated files, exports."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from keras_pix2pix import encodings, export_saved_model, export_tflite, paired_dataset

PALETTE = "palette:#ff0000,#00ff00,#0000ff"
WAYS = [
    ("gray", "rgba"),
    ("rgba", "gray"),
    ("gray16", "classes:4"),
    ("classes:4", "gray16"),
    (PALETTE, "rgb"),
    ("rgb", PALETTE),
    ("values:5:-1:1", "values:2:0:9"),
    ("rgb+classes:4", PALETTE),
    (f"gray16+{PALETTE}", "gray"),
    ("mask", "rgb"),
    ("rgb", "mask"),
    ("classes:4:ignore=255", "mask:9"),
    ("mask+rgb", "classes:4:ignore=255"),
    ("classes:4+edges", "rgb"),
]
FILES = ("gray", "rgba", "rgb", "mask", PALETTE)  # What TensorFlow decodes as it is meant.


def parts_of(word):
    return [encodings.get(part) for part in word.split("+")]


def write_pairs(folder, source, target, count=2):
    """Folders of sources, folder of targets; the pictures hold smooth and sharp parts."""
    folders = []
    for position, encoding in enumerate([*parts_of(source), encodings.get(target)]):
        folders.append(folder / f"{position}")
        for number in range(count):
            pixels = np.random.default_rng(10 * number + position).integers(0, 256, (16, 16, 3), dtype=np.uint8)
            encoding.write(folders[-1] / f"{number}", encoding.from_pixels(pixels))
    return folders[:-1], folders[-1]


@pytest.fixture
def trained(make_encoded_model, tmp_path):
    """A function (source, target) -> a model after one epoch, saved and loaded; folders of sources."""

    def train(source, target):
        sources, targets = write_pairs(tmp_path / "data", source, target)
        dataset = paired_dataset(sources, targets, source_encoding=source, target_encoding=target, image_size=16)
        model = make_encoded_model(source, target)
        model.compile()
        logs = model.fit(dataset, verbose=0, shuffle=False).history
        assert all(np.isfinite(values).all() for values in logs.values())
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        return loaded, sources if len(sources) > 1 else sources[0]

    return train


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_from_files_to_files(trained, tmp_path, source, target):
    model, sources = trained(source, target)
    written = model.translate(sources, tmp_path / "out")
    assert [path.stem for path in written] == ["0", "1"]
    encoding = encodings.get(target)
    for path, generated in zip(written, model.translate(sources), strict=True):
        assert encoding.size(path) == (16, 16)
        np.testing.assert_array_equal(encoding.raw(encoding.open(path), path), generated)


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_arrays_are_translated_like_their_files(make_encoded_model, tmp_path, source, target):
    folders, _ = write_pairs(tmp_path, source, target, count=1)
    files = [next(folder.iterdir()) for folder in folders]
    files = files if len(files) > 1 else files[0]
    model = make_encoded_model(source, target)
    encoding = model.source_encoding
    raw = encoding.raw(encoding.open(files), files)
    np.testing.assert_array_equal(model.translate(raw), model.translate(files))


@pytest.mark.slow
@pytest.mark.parametrize("quantization", ["none", "float16"])
@pytest.mark.parametrize(("source", "target"), WAYS)
def test_tflite_takes_and_gives_what_is_stored(trained, tmp_path, source, target, quantization):
    model, _ = trained(source, target)
    parity = export_tflite(model, tmp_path / "x.tflite", quantization=quantization)
    interpreter = Interpreter(str(tmp_path / "x.tflite"))
    operators = {operator["op_name"] for operator in interpreter._get_ops_details()}
    assert not [name for name in operators if name.startswith(("Flex", "CUSTOM"))]
    assert max(len(tensor["shape"]) for tensor in interpreter.get_tensor_details()) <= 4
    for details, encoding in (
        (interpreter.get_input_details()[0], model.source_encoding),
        (interpreter.get_output_details()[0], model.target_encoding),
    ):
        assert details["shape"].tolist() == [1, 16, 16, encoding.raw_channels]
        assert np.dtype(details["dtype"]) == encoding.raw_dtype
    is_labels = not isinstance(model.target_encoding, encodings.Picture)
    assert (parity.equal is not None) == is_labels
    raw = model.source_encoding.from_pixels(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8))
    generated = interpreter.get_signature_runner()(source=raw[np.newaxis])["generated"][0]
    differences = np.abs(generated.astype(float) - model.translate(raw))
    if is_labels:
        assert np.mean(differences > 0) <= (0.005 if quantization == "none" else 0.03)
    else:
        low, high = model.target_encoding.value_range
        assert differences.max() <= (high - low) / 255 * (1 if quantization == "none" else 4)


@pytest.mark.slow
@pytest.mark.parametrize(("source", "target"), WAYS)
def test_saved_models_take_and_give_what_is_stored(trained, tmp_path, source, target):
    model, _ = trained(source, target)
    parity = export_saved_model(model, tmp_path / "x")
    assert parity.equal is None or parity.equal >= 0.999
    loaded = tf.saved_model.load(tmp_path / "x")
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    raw = model.source_encoding.from_pixels(pixels)
    generated = loaded.serve(raw[np.newaxis])["generated"][0].numpy()
    expected = model.translate(raw)
    assert generated.dtype == expected.dtype
    np.testing.assert_allclose(generated, expected, rtol=1e-4, atol=1e-4 if expected.dtype == np.float32 else 0)
    decodable = source in FILES and target in (*FILES, "classes:4")
    assert ("serve_encoded" in loaded.signatures) == decodable
    if decodable:
        path = model.source_encoding.write(tmp_path / "source", raw)
        answer = loaded.signatures["serve_encoded"](source_bytes=tf.constant([path.read_bytes()]))
        picture = np.asarray(Image.open(io.BytesIO(answer["generated_bytes"].numpy()[0])))
        np.testing.assert_array_equal(picture.reshape(expected.shape), expected)
