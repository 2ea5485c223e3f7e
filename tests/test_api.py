"""The public names, their docstrings, and the examples in them, which run."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import keras_pix2pix

PACKAGE = Path(keras_pix2pix.__file__).parent
NAMES = {
    "PerceptualLoss",
    "Pix2Pix",
    "callbacks",
    "data",
    "download_dataset",
    "draw_pairs",
    "encodings",
    "enhanced_resnet_generator",
    "evaluation",
    "export_onnx",
    "export_saved_model",
    "export_tflite",
    "export_web",
    "fit_on_workers",
    "from_legacy_keras",
    "from_pytorch",
    "from_tf_tutorial",
    "images",
    "instance_from_batch",
    "load_model",
    "metrics",
    "paired_dataset",
    "patchgan_discriminator",
    "pytorch_gan_discriminator",
    "resnet_generator",
    "preset_data",
    "read_metadata",
    "receptive_field",
    "serving_model",
    "strategy_for",
    "unet_generator",
    "write_report",
}


def public_objects():
    """What a user reaches by exported names: from the package, and from its public modules' own `__all__`."""
    modules = {}
    for name in NAMES:
        member = getattr(keras_pix2pix, name)
        if inspect.ismodule(member):
            modules[name] = member
        else:
            yield name, member
    modules["data.synthetic"] = importlib.import_module("keras_pix2pix.data.synthetic")
    for place, module in modules.items():
        for name in getattr(module, "__all__", ()):
            member = getattr(module, name)
            if inspect.isclass(member) or inspect.isfunction(member):
                yield f"{place}.{name}", member


DOCUMENTED = dict(public_objects())


def example_of(member):
    match = re.search(r"Example:\n\n```python\n(.*?)```", inspect.getdoc(member), re.DOTALL)
    return match and match[1]


def test_the_public_names_are_these():
    assert set(keras_pix2pix.__all__) == NAMES | {"__version__"}
    assert set(dir(keras_pix2pix)) == NAMES
    for name in NAMES:
        assert getattr(keras_pix2pix, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="keras_pix2pix attribute unet"):
        keras_pix2pix.unet  # noqa: B018


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_the_example_of_the_docstring_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = example_of(DOCUMENTED[name])
    assert example, f"{name} has no example"
    assert len(example.splitlines()) <= 10
    if "from_preset" in example:
        shrink_the_paper(monkeypatch)
    exec(example, {})


@pytest.mark.parametrize("method", ["from_preset", "translate"])
def test_the_examples_of_the_methods_run(method, monkeypatch):
    shrink_the_paper(monkeypatch)
    exec(example_of(getattr(keras_pix2pix.Pix2Pix, method)), {})


@pytest.mark.parametrize("name", sorted(name for name in NAMES if callable(getattr(keras_pix2pix, name))))
def test_public_docstrings_say_what_goes_in_and_comes_out(name):
    member = getattr(keras_pix2pix, name)
    text = inspect.getdoc(member)
    for section in ("Args:", "Example:") if inspect.isclass(member) else ("Args:", "Returns:", "Example:"):
        assert f"\n{section}\n" in text
    parameters = [each for each in inspect.signature(member).parameters if each not in ("self", "kwargs")]
    for parameter in parameters:
        assert re.search(rf"^    {parameter}: ", text, re.MULTILINE), parameter


LOAD = "model = load_model('model.keras'); print(type(model).__name__, model.generator_optimizer.name)"


@pytest.mark.slow
@pytest.mark.parametrize(
    "imports",
    [
        "import keras_pix2pix, keras; load_model = keras.saving.load_model",
        "import keras, keras_pix2pix; load_model = keras.models.load_model",
        "import tensorflow as tf, keras_pix2pix; load_model = tf.keras.models.load_model",
        "import keras_pix2pix, tensorflow as tf; load_model = tf.keras.models.load_model",
        "from keras_pix2pix import callbacks, paired_dataset; from keras.saving import load_model",
        "from keras_pix2pix.callbacks import Checkpoint; from keras.saving import load_model",
        "from keras_pix2pix.metrics import PSNR; from keras.saving import load_model",
        "from keras_pix2pix import load_model",
    ],
)
def test_a_saved_model_loads_whatever_was_imported_first(imports, saved_model):
    model, optimizer = run(f"{imports}; {LOAD}", cwd=saved_model).stdout.split()
    assert (model, optimizer.startswith("fused_adam")) == ("Pix2Pix", True)


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    """A folder with a `model.keras` in which every class of ours is: networks, optimizers, metrics."""
    folder = tmp_path_factory.mktemp("saved")
    discriminator = keras_pix2pix.patchgan_discriminator((32, 32, 3), filters=2, num_layers=1, spectral_norm=True)
    generator = keras_pix2pix.unet_generator((32, 32, 3), filters=2, num_downsamples=2)
    model = keras_pix2pix.Pix2Pix(generator, discriminator)
    model.compile(metrics=[keras_pix2pix.metrics.PSNR()])
    model.save(folder / "model.keras")
    return folder


def test_importing_keras_registers_every_serialisable_class():
    registering = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if "register_keras_serializable" in path.read_text(encoding="utf-8")
    }
    program = "import keras_pix2pix, keras, sys; print(*sys.modules)"
    imported = {name.removeprefix("keras_pix2pix.") for name in run(program).stdout.split()}
    assert registering <= imported


def test_importing_the_package_imports_neither_tensorflow_nor_keras():
    program = "import sys, keras_pix2pix; print(sorted({'tensorflow', 'keras', 'numpy'} & set(sys.modules)))"
    assert run(program).stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (
            "import importlib.util as u; find = u.find_spec\n"
            "u.find_spec = lambda name, *rest: None if name == 'tensorflow' else find(name, *rest)\n"
            "import keras_pix2pix; keras_pix2pix.Pix2Pix",
            "ImportError: keras_pix2pix needs TensorFlow 2.20 or newer, which is not installed.",
        ),
        (
            "import keras; keras.config.set_image_data_format('channels_first')\n"
            "import keras_pix2pix; keras_pix2pix.Pix2Pix",
            "ImportError: keras_pix2pix needs Keras' image_data_format channels_last",
        ),
        (
            "import keras; keras.config.set_floatx('float16')\nimport keras_pix2pix; keras_pix2pix.unet_generator",
            "Received: channels_last and float16, mostly from ~/.keras/keras.json",
        ),
        (
            "import sys, types; config = types.SimpleNamespace(backend=lambda: 'jax')\n"
            "sys.modules['keras'] = types.SimpleNamespace(config=config)\n"
            "import keras_pix2pix; keras_pix2pix.unet_generator",
            "ImportError: keras_pix2pix needs Keras' TensorFlow backend. Received: 'jax'",
        ),
    ],
    ids=["no TensorFlow", "channels first", "16 bits", "another backend"],
)
def test_without_tensorflow_one_message_says_what_to_do(program, words):
    result = run(program, check=False)
    assert result.returncode == 1
    assert words in result.stderr.splitlines()[-1]


def run(program, check=True, cwd=None):
    return subprocess.run([sys.executable, "-c", program], check=check, capture_output=True, text=True, cwd=cwd)


def shrink_the_paper(monkeypatch):
    from keras_pix2pix.training.presets import PRESETS

    for network in ("generator", "discriminator"):
        monkeypatch.setitem(PRESETS["paper"][network], "filters", 2)
    assert keras.backend.backend() == "tensorflow"
