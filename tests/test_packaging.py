"""What is built of this repository holds everything, and works where it is installed."""

import email
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOT_SOURCE = shutil.ignore_patterns(".*", "__pycache__", "build", "demo", "dist", "*.egg-info")

pytestmark = pytest.mark.slow


def call(*command, **options):
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert answer.returncode == 0, answer.stdout
    return answer.stdout


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("source") / "tree", ignore=NOT_SOURCE)


@pytest.fixture(scope="module")
def built(source, tmp_path_factory):
    """The folder of the source distribution and of the wheel that was made of it."""
    before, folder = files_in(source), tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--outdir", folder, source]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if "No matching distribution found for setuptools" in answer.stdout:
        pytest.skip("pip can't fetch setuptools here, which builds the package.")
    assert answer.returncode == 0, answer.stdout
    for name in files_in(source) - before:  # setuptools' notes.
        (source / name).unlink()
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel):
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


@pytest.fixture(scope="module")
def program(built, tmp_path_factory):
    """The installed command, in an environment that finds other packages where this one does, but not this package."""
    environment = tmp_path_factory.mktemp("installed") / "environment"
    call(sys.executable, "-m", "venv", "--without-pip", environment)
    python = environment / "bin" / "python"
    # Of what a .pth file names no .pth file is read, so an editable installation stays out.
    others = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    packages = Path(call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (packages / "others.pth").write_text("\n".join(others))
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps"]
    call(*pip, "--ignore-installed", next(built.glob("*.whl")))
    return environment / "bin" / "keras-pix2pix"


@pytest.fixture
def run(program, tmp_path):
    """A function that runs a program of that environment, elsewhere than in the repository."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    clean |= {"HOME": str(tmp_path), "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    return lambda *command: call(*command, cwd=tmp_path, env=clean)


def test_the_source_distribution_holds_the_repository(source, built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        held = {member.name.partition("/")[2] for member in archive if member.isfile()}
    assert not files_in(source) - held
    added = {name.partition("/")[0] for name in held - files_in(source)}
    assert added <= {"PKG-INFO", "setup.cfg", "keras_pix2pix.egg-info"}
    assert {"CHANGELOG.md", "tests/test_packaging.py", "examples/train_facades.py", "benchmarks/tflite.py"} <= held


def test_the_wheel_holds_the_package_and_nothing_else(source, wheel):
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == {f"keras_pix2pix/{name}" for name in files_in(source / "keras_pix2pix")}


def test_the_metadata_are_whole(built, metadata):
    call(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert {"gpu", "docs", "onnx", "torch", "test"} <= set(metadata.get_all("Provides-Extra"))


def test_no_link_of_the_description_needs_the_repository(metadata):
    description = metadata.get_payload()
    assert "keras_pix2pix" in description
    targets = re.findall(r"\]\(([^)]*)\)", description) + re.findall(r"(?:src|href)=[\"']([^\"']*)", description)
    assert targets
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []


def test_the_wheel_works_where_it_is_installed(run, program, metadata):
    place = run(program.with_name("python"), "-c", "import keras_pix2pix; print(keras_pix2pix.__file__)")
    assert place.strip().splitlines()[-1].startswith(str(program.parents[1]))
    assert run("keras-pix2pix", "--version") == f"keras-pix2pix {metadata['Version']}\n"
    assert "translate" in run("keras-pix2pix", "--help")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
def test_completion_works_in_bash(run):
    script = """
        keras-pix2pix --install-completion
        source ~/.bashrc
        COMP_WORDS=(keras-pix2pix tr) COMP_CWORD=1
        $(complete -p keras-pix2pix | grep -o "_[a-z_0-9]*completion") keras-pix2pix
        echo "${COMPREPLY[@]}"
    """
    assert run("bash", "-c", script).splitlines()[-1] == "train translate"
