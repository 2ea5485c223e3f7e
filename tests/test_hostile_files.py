"""Files that were made to harm: each ends in one message that names it, or is read as what it is."""

import itertools
import json
import os
import re
import socket
import stat
import struct
import sys
import time
import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from keras_pix2pix import (
    encodings,
    from_legacy_keras,
    from_tf_tutorial,
    load_model,
    paired_dataset,
    unet_generator,
)
from keras_pix2pix.convert.keras.hdf5 import read_hdf5
from keras_pix2pix.data.folders import list_picture_files
from keras_pix2pix.data.inspection import draw_pairs
from keras_pix2pix.encodings.files import open_array
from keras_pix2pix.images import read_image_file, read_image_size, write_png
from keras_pix2pix.inference.translation import translate

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
THOROUGH = settings(QUICK, max_examples=700)


@pytest.fixture(params=[QUICK, pytest.param(THOROUGH, marks=pytest.mark.slow)], ids=["quick", "thorough"])
def cases(request):
    return request.param


def read_or_refuse(read, path):
    """Nothing but a ValueError of moderate length that names the file."""
    message = ""
    try:
        read(path)
    except ValueError as error:
        message = str(error)
    assert not message or str(path) in message
    assert len(message) < 1000


# Arrays

HEADERS = st.one_of(
    st.text(max_size=60),
    st.builds(
        "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}".format,
        st.sampled_from(
            ["'<f4'", "'|O'", "'<U4'", "'>i2'", "[('a', '<f4')]", "'f4,f4'", "1", "None", "'|V8'", "'<c8'"]
        ),
        st.sampled_from(["True", "False", "2", "'x'", "None"]),
        st.one_of(
            st.lists(st.integers(-2, 5), max_size=4).map(lambda sides: str(tuple(sides))),
            st.sampled_from(["(10**9, 10**9, 3)", f"({2**70}, 1)", "((1,),)", "'ab'", "(1.5, 2)", "(8, 8, 3, )", "()"]),
        ),
    ),
    st.sampled_from(["(" * 500, "{" * 200, "'\\", "\0", "{'descr': '<f4'}", "-" * 300 + "1", "9" * 5000]),
)


def npy(header, version, declared, data):
    text = header.encode("utf-8", "surrogatepass") + b"\n"
    length = len(text) if declared is None else declared
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version[0] == 1 else "<I", length) + text + data


def test_no_header_of_an_array_does_harm(tmp_path, cases):
    path = tmp_path / "x.npy"

    @cases
    @given(
        HEADERS,
        st.sampled_from([(1, 0), (2, 0), (3, 0), (9, 9)]),
        st.none() | st.integers(0, 2**16 - 1),
        st.binary(max_size=800),
    )
    def attack(header, version, declared, data):
        path.write_bytes(npy(header, version, declared, data))
        for channels in (1, 3):
            read_or_refuse(lambda file, channels=channels: np.asarray(open_array(file, channels)), path)

    attack()


def test_an_archive_a_pickle_and_a_fortran_array(tmp_path):
    np.savez(tmp_path / "archive", np.zeros((4, 4)))
    (tmp_path / "archive.npz").rename(tmp_path / "archive.npy")
    np.save(tmp_path / "pickle.npy", np.array([[{}]]), allow_pickle=True)
    for name in ("archive", "pickle"):
        with pytest.raises(ValueError, match=rf"{name}\.npy"):
            open_array(tmp_path / f"{name}.npy", 1)
    numbers = np.arange(24.0).reshape(2, 4, 3)
    np.save(tmp_path / "fortran.npy", np.asfortranarray(numbers))
    np.testing.assert_array_equal(open_array(tmp_path / "fortran.npy", 3), numbers)


# HDF5


@pytest.fixture
def secret(tmp_path):
    (tmp_path / "secret.bin").write_bytes(np.arange(96, dtype="<f4").tobytes())
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["kernel"] = np.arange(96, dtype="float32").reshape(4, 4, 3, 2)
    return tmp_path


def weights_file(path, put):
    """An HDF5 file of weights as Keras 2 writes it, with one kernel that a function puts into its group."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv2d"]
        group = file.create_group("conv2d")
        group.attrs["weight_names"] = [b"conv2d/kernel:0"]
        put(group.create_group("conv2d"), "kernel:0")
    return path


def virtual(group, name):
    layout = h5py.VirtualLayout((4, 4, 3, 2), "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "kernel", (4, 4, 3, 2))
    group.create_virtual_dataset(name, layout)


def soft(group, name):
    group["other"] = np.zeros((4, 4, 3, 2), "f4")
    group[name] = h5py.SoftLink("/conv2d/conv2d/other")


REFUSED = {
    "external data": lambda group, name: group.create_dataset(
        name, (4, 4, 3, 2), "f4", external=[("secret.bin", 0, 384)]
    ),
    "external link": lambda group, name: group.__setitem__(name, h5py.ExternalLink("secret.h5", "kernel")),
    "soft link": soft,
    "virtual": virtual,
    "179 GiB": lambda group, name: group.create_dataset(name, (2**20, 2**16), "f4", chunks=(64, 64)),
    "compressed": lambda group, name: group.create_dataset(
        name, data=np.zeros((2000, 2000), "f4"), compression="gzip", chunks=(2000, 2000)
    ),
    "texts": lambda group, name: group.create_dataset(name, data=[b"a", b"b"]),
    "a group": lambda group, name: group.create_group(name),
    "nothing": lambda group, name: None,
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_weights_file_that_reaches_out_or_claims_too_much_is_refused(secret, kind, monkeypatch):
    monkeypatch.chdir(secret)
    path = weights_file(secret / "x.h5", REFUSED[kind])
    with pytest.raises(ValueError, match=r"x\.h5 (is refused|lists|holds)") as refusal:
        read_hdf5(path)
    assert len(str(refusal.value)) < 500


def test_a_plain_weights_file_is_read(secret):
    path = weights_file(secret / "x.h5", lambda group, name: group.create_dataset(name, data=np.ones((4, 4, 3, 2))))
    (layer,) = read_hdf5(path)[1]
    assert [(name, weight.shape) for name, weight in layer.weights] == [("conv2d/kernel", (4, 4, 3, 2))]


ATTRIBUTES = st.one_of(
    st.integers(-5, 5),
    st.text(max_size=8).map(lambda text: text.replace("\0", "")),
    st.lists(st.sampled_from([b"conv2d", b"..", b"/", b"", b"conv2d/conv2d", b"\xff"]), min_size=1, max_size=3),
    st.sampled_from(["{}", "[1]", "{", '{"config": 5}', '{"class_name": "Functional", "config": {"layers": 3}}']),
    st.just(np.zeros((2, 2))),
)


def test_no_attribute_of_a_weights_file_does_harm(tmp_path, cases):
    numbers = itertools.count()  # HDF5 keeps a file of one name open a while.

    @cases
    @given(ATTRIBUTES, ATTRIBUTES, st.none() | ATTRIBUTES)
    def attack(layer_names, weight_names, config):
        path = weights_file(
            tmp_path / f"{next(numbers)}.h5", lambda group, name: group.create_dataset(name, data=[1.0])
        )
        with h5py.File(path, "a") as file:
            file.attrs["layer_names"] = layer_names
            file["conv2d"].attrs["weight_names"] = weight_names
            if config is not None:
                file.attrs["model_config"] = config
        read_or_refuse(read_hdf5, path)
        path.unlink()

    attack()


# Pictures


@pytest.mark.parametrize("form", ["EPS", "PPM", "ICO", "TGA", "PCX", "SGI", "JPEG2000", "AVIF", "DDS"])
def test_only_documented_formats_are_opened(tmp_path, form):
    path = tmp_path / "x.png"
    try:
        Image.new("RGB", (32, 32)).save(path, format=form)
    except (KeyError, OSError):
        pytest.skip(f"This Pillow doesn't write {form}.")
    for read in (read_image_file, read_image_size):
        with pytest.raises(ValueError, match=r"x\.png: it is not a picture"):
            read(path)


def test_no_other_program_is_started(tmp_path, monkeypatch):
    impostor = tmp_path / "bin" / "gs"
    impostor.parent.mkdir()
    impostor.write_text(f"#!/bin/sh\ntouch {tmp_path / 'started'}\n")
    impostor.chmod(impostor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(impostor.parent), prepend=os.pathsep)
    (tmp_path / "pairs").mkdir()
    Image.new("RGB", (64, 32)).save(tmp_path / "pairs" / "x.png", format="EPS")
    with pytest.raises(ValueError, match=r"x\.png"):
        draw_pairs(tmp_path / "pairs", output=tmp_path / "pairs.png")
    with pytest.raises(ValueError, match=r"x\.png"):
        read_image_file(tmp_path / "pairs" / "x.png")
    assert not (tmp_path / "started").exists()


def test_damaged_pictures_are_read_or_refused(tmp_path, cases):
    originals = {}
    for form in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF"):
        Image.radial_gradient("L").resize((24, 20)).convert("RGB").save(tmp_path / "original", format=form)
        originals[form] = (tmp_path / "original").read_bytes()
    path = tmp_path / "x.png"

    @cases
    @given(st.sampled_from(sorted(originals)), st.integers(0, 10**6), st.binary(max_size=12), st.integers(0, 10**6))
    def attack(form, place, inserted, end):
        content = originals[form]
        place %= len(content)
        content = content[:place] + inserted + content[place + len(inserted) :]
        path.write_bytes(content[: max(1, end % (2 * len(content)))])
        for read in (read_image_file, read_image_size):
            read_or_refuse(read, path)

    attack()


def test_pipes_sockets_and_folders_among_the_pictures_are_passed_over(tmp_path):
    write_png(tmp_path / "a.png", np.zeros((8, 8, 3), "uint8"))
    (tmp_path / "link.png").symlink_to("a.png")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe.npy")
    (tmp_path / "folder.png").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.png"))
        assert [path.name for path in list_picture_files(tmp_path)] == ["a.png", "link.png"]
    started = time.monotonic()
    for read in (read_image_file, read_image_size):
        with pytest.raises(ValueError, match=r"pipe\.png.*regular"):
            read(tmp_path / "pipe.png")
    for word in ("values:1:0:1", "classes:3"):
        with pytest.raises(ValueError, match=r"pipe\.npy.*regular"):
            encodings.get(word).open(tmp_path / "pipe.npy")
    assert time.monotonic() - started < 60  # None of them waited for somebody who writes.


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are Unicode here")
def test_names_of_any_bytes(tmp_path):
    folder = os.fsencode(tmp_path / "pairs")
    os.mkdir(folder)
    Image.new("RGB", (32, 16)).save(tmp_path / "x.png")
    os.rename(tmp_path / "x.png", folder + b"/\xff\x1b[2J.png")
    assert draw_pairs(tmp_path / "pairs", output=tmp_path / "drawn.png").pairs == 1
    dataset = paired_dataset(tmp_path / "pairs", image_size=16)
    assert len(list(dataset)) == 1
    (written,) = translate(unet_generator((16, 16, 3), filters=2), tmp_path / "pairs", tmp_path / "out")
    assert os.fsencode(written).endswith(b"/\xff\x1b[2J.png")
    with open(folder + b"/\xfe.png", "wb") as broken:
        broken.write(b"no picture")
    with pytest.raises(ValueError, match=r"\.png: it is not a picture"):
        paired_dataset(tmp_path / "pairs", image_size=16)


# Networks


def huge(config):
    """The configuration with a million times as many filters in each layer."""
    if isinstance(config, dict):
        return {name: 10**9 if name == "filters" else huge(value) for name, value in config.items()}
    return [huge(each) for each in config] if isinstance(config, list) else config


def test_a_network_that_no_memory_holds_is_refused(tmp_path):
    network = unet_generator((16, 16, 3), filters=2, num_downsamples=2)
    network.save(tmp_path / "x.keras")
    network.save(tmp_path / "x.h5")
    with zipfile.ZipFile(tmp_path / "x.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["config.json"] = json.dumps(huge(json.loads(parts["config.json"]))).encode()
    with zipfile.ZipFile(tmp_path / "x.keras", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with h5py.File(tmp_path / "x.h5", "a") as file:
        file.attrs["model_config"] = json.dumps(huge(json.loads(file.attrs["model_config"])))
    for read, name in ((load_model, "x.keras"), (from_tf_tutorial, "x.keras"), (from_legacy_keras, "x.h5")):
        with pytest.raises(ValueError, match=rf"{re.escape(name)} is damaged.*weights"):
            read(tmp_path / name)


def test_a_damaged_model_is_a_message_of_moderate_length(tmp_path):
    unet_generator((16, 16, 3), filters=2, num_downsamples=2).save(tmp_path / "x.keras")
    with zipfile.ZipFile(tmp_path / "x.keras") as archive:
        config = archive.read("config.json")
    for content in (config.replace(b"Conv2DTranspose", b"Conv9DTranspose"), b"[]", b"{", config[:-900]):
        with zipfile.ZipFile(tmp_path / "y.keras", "w") as archive:
            archive.writestr("config.json", content)
            archive.writestr("metadata.json", "{}")
        read_or_refuse(load_model, tmp_path / "y.keras")
        with pytest.raises(ValueError, match=r"y\.keras"):
            load_model(tmp_path / "y.keras")
