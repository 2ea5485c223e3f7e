"""The program as a whole: its help, its version, and how a mistake ends."""

import subprocess
import sys

import pytest

import keras_pix2pix
from keras_pix2pix.cli.main import main

pytestmark = pytest.mark.usefixtures("small_networks")


def test_completion_is_installed_for_the_shell_and_completes(run, tmp_path, monkeypatch):
    monkeypatch.setattr("shellingham.detect_shell", lambda *depth: ("bash", "/bin/bash"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run("--install-completion")[0] == 0
    script = tmp_path / ".bash_completions" / "keras-pix2pix.sh"
    assert str(script) in (tmp_path / ".bashrc").read_text()
    assert "_KERAS_PIX2PIX_COMPLETE" in script.read_text()
    monkeypatch.setenv("_KERAS_PIX2PIX_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "keras-pix2pix tr")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run()[1].split() == ["train", "translate"]


def test_help_does_not_import_tensorflow_and_shows_every_command():
    program = (
        "import sys; from keras_pix2pix.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(sorted({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[]"
    for command in ("train", "translate", "export", "inspect", "convert"):
        assert command in result.stdout


@pytest.mark.parametrize("command", ["train", "translate", "export", "demo", "report", "inspect", "presets", "convert"])
def test_no_word_of_the_help_is_cut_at_80_columns(run, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, printed, _ = run(command, "--help")
    assert code == 0
    assert "…" not in printed
    assert max(map(len, printed.splitlines())) == 80


def test_version(run):
    assert run("--version")[:2] == (0, f"keras-pix2pix {keras_pix2pix.__version__}\n")


MISTAKES = {
    "no data": (["train", "--run-dir", "RUN"], ["DATA is missing"]),
    "missing folder": (["train", "nowhere", "--run-dir", "RUN"], ["There is no folder", "nowhere"]),
    "empty folder": (["train", "EMPTY", "--run-dir", "RUN"], ["no pictures in", "empty", ".jpg"]),
    "preset": (["train", "PAIRS", "--run-dir", "RUN", "--preset", "papre"], ["'paper'", "Received: 'papre'"]),
    "direction": (
        ["train", "PAIRS", "--run-dir", "RUN", "--direction", "left"],
        ["AtoB", "Received: direction='left'"],
    ),
    "size": (["train", "PAIRS", "--run-dir", "RUN", "--image-size", "7"], ["image_shape", "(7, 7, 3)"]),
    "size form": (["train", "PAIRS", "--run-dir", "RUN", "--image-size", "big"], ["HEIGHTxWIDTH", "Received: 'big'"]),
    "batch": (["train", "PAIRS", "--run-dir", "RUN", "--batch-size", "9"], ["number of pairs, 3", "batch_size=9"]),
    "not a number": (["train", "PAIRS", "--run-dir", "RUN", "--epochs", "many"], ["Invalid value for '--epochs'"]),
    "no epochs": (["train", "PAIRS", "--run-dir", "RUN", "--epochs", "0"], ["--epochs"]),
    "no steps": (["train", "PAIRS", "--run-dir", "RUN", "--steps-per-epoch", "-1"], ["--steps-per-epoch"]),
    "seed": (["train", "PAIRS", "--run-dir", "RUN", "--seed", "-1"], ["--seed"]),
    "export to a folder": (["export", "MODEL", "--format", "tflite", "--output", "PAIRS"], ["is a folder"]),
    "draw into a folder": (["inspect", "PAIRS", "--output", "EMPTY"], ["is a folder"]),
    "run folder": (["train", "PAIRS", "--run-dir", "PAIRS"], ["exists and is not empty", "--resume"]),
    "run folder is a file": (["train", "PAIRS", "--run-dir", "FILE"], ["exists and is not empty"]),
    "no room": (["train", "PAIRS", "--run-dir", "FILE/run"], ["Not a directory", "Check its permissions"]),
    "resume nothing": (["train", "--run-dir", "EMPTY", "--resume"], ["no run to resume", "config.json"]),
    "target and direction": (
        ["train", "PAIRS", "--target", "PAIRS", "--direction", "AtoB", "--run-dir", "RUN"],
        ["--direction is for side-by-side files"],
    ),
    "validation target": (
        ["train", "PAIRS", "--target", "PAIRS", "--validation", "PAIRS", "--run-dir", "RUN"],
        ["--validation-target", "Give all three"],
    ),
    "synthetic target": (["train", "synthetic", "--target", "PAIRS", "--run-dir", "RUN"], ["--target needs a folder"]),
    "encoding": (
        ["train", "PAIRS", "--run-dir", "RUN", "--source-encoding", "rbg"],
        ["An encoding must be", "Received: 'rbg'"],
    ),
    "encoding of the files": (
        ["train", "PAIRS", "--run-dir", "RUN", "--target-encoding", "gray16"],
        ["does not suit its encoding, 'gray16'"],
    ),
    "colours of labels": (
        ["train", "PAIRS", "--run-dir", "RUN", "--source-encoding", "palette:#000000,#ffffff", "--color-jitter", "0.1"],
        ["Label maps have neither"],
    ),
    "extra source": (
        ["train", "PAIRS", "--extra-source", "PAIRS", "--run-dir", "RUN"],
        ["--extra-source needs folders"],
    ),
    "extra validation source": (
        [
            *("train", "PAIRS", "--extra-source", "PAIRS", "--target", "PAIRS"),
            *("--validation", "PAIRS", "--validation-target", "PAIRS", "--run-dir", "RUN"),
        ],
        ["--extra-validation-source", "Accepted: 1. Received: 0"],
    ),
    "inspect extra source": (["inspect", "PAIRS", "--extra-source", "PAIRS"], ["--extra-source needs folders"]),
    "no model": (["translate", "EMPTY", "PAIRS", "--output", "OUT"], ["There is no model at", "model.keras"]),
    "wrong model": (["translate", "BROKEN.keras", "PAIRS", "--output", "OUT"], ["is not a .keras file"]),
    "format": (["export", "MODEL", "--format", "coreml", "--output", "OUT"], ["saved_model, tflite, onnx", "'coreml'"]),
    "quantization": (
        ["export", "MODEL", "--format", "tflite", "--quantization", "int4", "--output", "OUT"],
        ["'none', 'float16', 'weights', 'dynamic', 'int8'", "'int4'"],
    ),
    "int8 of a bare model": (
        ["export", "MODEL", "--format", "tflite", "--quantization", "int8", "--output", "OUT"],
        ["measures its ranges on source pictures", "--images FOLDER"],
    ),
    "int8 of any size": (
        [
            *("export", "MODEL", "--format", "tflite", "--quantization", "int8"),
            *("--image-size", "any", "--output", "OUT"),
        ],
        ["ranges, for pictures of one size", 'quantization="dynamic"'],
    ),
    "no pictures to compare on": (
        ["export", "MODEL", "--format", "tflite", "--images", "EMPTY", "--output", "OUT"],
        ["no pictures in", "empty"],
    ),
    "ONNX of any size": (
        ["export", "MODEL", "--format", "onnx", "--image-size", "any", "--output", "OUT"],
        ["takes pictures of any size", "Leave it out"],
    ),
    "license of a SavedModel": (
        ["export", "MODEL", "--format", "saved_model", "--license", "MIT", "--output", "OUT"],
        ["--license is for --format tflite"],
    ),
    "empty model": (["export", "NOTHING.keras", "--format", "tflite", "--output", "OUT"], ["is not a .keras file"]),
    "quantized SavedModel": (
        ["export", "MODEL", "--format", "saved_model", "--quantization", "none", "--output", "OUT"],
        ["--quantization is for --format tflite"],
    ),
    "quantized ONNX": (
        ["export", "MODEL", "--format", "onnx", "--quantization", "none", "--output", "OUT"],
        ["--quantization is for --format tflite or web. Received: --format onnx"],
    ),
    "SavedModel of one size": (
        ["export", "MODEL", "--format", "saved_model", "--image-size", "32", "--output", "OUT"],
        ["--image-size is for --format tflite or onnx or web"],
    ),
    "export size": (
        ["export", "MODEL", "--format", "tflite", "--image-size", "40", "--output", "OUT"],
        ["divisible by 32", "(40, 40)"],
    ),
    "no such picture": (["translate", "MODEL", "nowhere.png", "--output", "OUT"], ["nowhere.png"]),
    "overlap": (["translate", "MODEL", "PAIRS", "--output", "OUT", "--overlap", "8"], ["--overlap 8 without --tile"]),
    "tile": (["translate", "MODEL", "PAIRS", "--output", "OUT", "--tile", "40"], ["multiple of 32", "tile=40"]),
    "statistics": (
        ["translate", "MODEL", "PAIRS", "--output", "OUT", "--fixed-statistics"],
        ["`fixed_statistics` is for tiles", "Pass `tile`"],
    ),
    "inspect": (["inspect", "EMPTY"], ["no pictures in"]),
    "inspect direction": (["inspect", "PAIRS", "--target", "PAIRS", "--direction", "AtoB"], ["--direction is for"]),
    "inspect count": (["inspect", "PAIRS", "--count", "0"], ["`count` must be 1 or more"]),
    "log": (
        ["train", "PAIRS", "--run-dir", "RUN", "--image-size", "32", "--monitor", "val_ssim"],
        ["--monitor must be one of g_loss, ", "Received: 'val_ssim'. With --validation there are more."],
    ),
    "log without a better side": (
        ["train", "PAIRS", "--run-dir", "RUN", "--image-size", "32", "--monitor", "d_real"],
        ["Received: 'd_real'"],
    ),
    "patience for nothing": (
        ["train", "PAIRS", "--run-dir", "RUN", "--image-size", "32", "--patience", "3"],
        ["--patience needs a log", "--patience 3 without --validation"],
    ),
    "report of nothing": (["report", "EMPTY"], ["There is no run in", "history.csv"]),
    "command": (["trane"], ["No such command"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_message_and_exit_code_2(mistake, run, pairs, tmp_path, monkeypatch):
    arguments, words = MISTAKES[mistake]
    places = {
        "PAIRS": pairs,
        "EMPTY": tmp_path / "empty",
        "FILE": tmp_path / "file",
        "FILE/run": tmp_path / "file" / "run",
        "RUN": tmp_path / "run",
        "OUT": tmp_path / "out",
        "MODEL": tmp_path / "model.keras",
        "BROKEN.keras": tmp_path / "broken.keras",
        "NOTHING.keras": tmp_path / "nothing.keras",
    }
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "broken.keras").write_text("mine")
    (tmp_path / "nothing.keras").touch()
    if "MODEL" in arguments:
        keras_pix2pix.unet_generator((32, 32, 3), filters=2).save(tmp_path / "model.keras")
    code, _, errors = run(*(places.get(argument, argument) for argument in arguments))
    assert code == 2
    for word in words:
        assert word in errors
    assert "Traceback" not in errors
    assert (tmp_path / "file").read_text() == "mine"
    assert not (tmp_path / "run" / "model.keras").exists()
    assert not (tmp_path / "out").exists()
    assert len(list(pairs.iterdir())) == 3


def test_traceback_shows_where_an_error_arose(tmp_path):
    with pytest.raises(ValueError, match="There is no folder"):
        main(["--traceback", "inspect", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit):
        main(["inspect", str(tmp_path / "nowhere")])
