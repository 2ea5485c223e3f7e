"""HDF5 files are read as Keras 2 wrote them, or refused by name."""

import h5py
import numpy as np
import pytest

from keras_pix2pix.convert.keras.hdf5 import read_hdf5


def test_names_that_keras_split_over_several_attributes_are_put_together(tmp_path):
    path = tmp_path / "long.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names0"] = [b"first"]
        file.attrs["layer_names1"] = [b"second"]
        for name in ("first", "second"):
            group = file.create_group(name)
            group.attrs["weight_names0"] = [f"{name}/kernel:0".encode()]
            group.attrs["weight_names1"] = [f"{name}/bias:0".encode()]
            group.create_dataset(f"{name}/kernel:0", data=np.ones((1, 1, 3, 3)))
            group.create_dataset(f"{name}/bias:0", data=np.zeros(3))
    config, saved_layers = read_hdf5(path)
    assert config is None
    assert [layer.name for layer in saved_layers] == ["first", "second"]
    assert [name for name, _ in saved_layers[1].weights] == ["second/kernel", "second/bias"]


def test_weights_inside_of_a_block_keep_their_layers(old_unet, save_keras_2):
    _, saved_layers = read_hdf5(save_keras_2(old_unet(blocks=True)))
    block = saved_layers[2]
    assert block.name == "sequential_1"
    assert [sorted(weights) for weights in block.parts().values()] == [["kernel"], ["beta", "gamma"]]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="nowhere.h5 is not a file. Accepted: an HDF5 file"):
        read_hdf5(tmp_path / "nowhere.h5")


def test_a_file_of_another_kind(tmp_path):
    path = tmp_path / "notes.h5"
    path.write_text("no weights")
    with pytest.raises(ValueError, match="notes.h5 is not an HDF5 file"):
        read_hdf5(path)


def test_a_file_cut_short(old_unet, save_keras_2):
    path = save_keras_2(old_unet())
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match="old.h5 can't be read, it is cut short or damaged"):
        read_hdf5(path)


def test_a_configuration_that_is_no_json(old_unet, save_keras_2):
    path = save_keras_2(old_unet())
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = "{"
    with pytest.raises(ValueError, match="old.h5 can't be read, it is cut short or damaged"):
        read_hdf5(path)


def test_an_hdf5_file_of_something_else_says_which_keys_it_has(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["temperature"] = [1.0]
        file.attrs["station"] = "north"
    with pytest.raises(ValueError, match=r"the keys \['temperature'\] and the attributes \['station'\]"):
        read_hdf5(path)


@pytest.mark.parametrize("whole", [True, False], ids=["model", "generator"])
def test_for_weights_of_keras_3_the_message_has_the_lines_to_write(whole, make_model, tmp_path):
    path = tmp_path / "new.weights.h5"
    model = make_model()
    (model if whole else model.generator).save_weights(path)
    lines = rf"`model = Pix2Pix\.from_preset.* `model{'' if whole else '.generator'}\.load_weights\('{path}'\)`"
    with pytest.raises(ValueError, match=lines):
        read_hdf5(path)


def test_two_layers_of_one_name_in_a_network_are_refused(tmp_path):
    path = tmp_path / "twice.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"generator"]
        group = file.create_group("generator")
        group.attrs["weight_names"] = [b"down/conv/kernel:0", b"up/conv/kernel:0"]
        for block in ("down", "up"):
            group.create_dataset(f"{block}/conv/kernel:0", data=np.ones((1, 1, 3, 3)))
    with pytest.raises(ValueError, match=r"twice\.h5 has two layers of one name in 'generator'"):
        read_hdf5(path)


def test_weights_that_claim_more_than_the_file_holds_are_refused(tmp_path):
    path = tmp_path / "huge.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        group = file.create_group("conv")
        group.attrs["weight_names"] = [b"conv/kernel:0"]
        group.create_dataset("conv/kernel:0", (4, 4, 3, 10**9), "float32", chunks=(4, 4, 3, 64))  # 179 GiB, unwritten.
    with pytest.raises(ValueError, match=r"huge\.h5 is refused: '/conv/conv/kernel:0' claims 192,000,000,000 bytes"):
        read_hdf5(path)
