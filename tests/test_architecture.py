"""Who may import whom, read from the imports."""

import ast
from pathlib import Path

import pytest

import keras_pix2pix

PACKAGE = Path(keras_pix2pix.__file__).parent
# Folders and files of one floor don't import each other; each imports from the floors below.
FLOORS = [
    {"files", "quiet", "run_folder", "terminal"},
    {"dominant_colors", "images", "metrics"},
    {"encodings"},
    {"networks", "data", "report"},
    {"inference"},
    {"training", "evaluation"},
    {"callbacks", "deploy", "convert"},
    {"runs"},
    {"cli"},
    {"__main__"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(module):
    return module.split(".")[1]


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide which floor they lead to"
            for alias in node.names:
                submodule = PACKAGE.parent / Path(*node.module.split("."), f"{alias.name}.py")
                yield f"{node.module}.{alias.name}" if submodule.exists() else node.module


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_from_its_own_room_and_from_floors_below(path):
    room = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for name in imports_of(path):
        if not name.startswith("keras_pix2pix."):
            continue
        other = room_of(name)
        assert other == room or FLOOR_OF[other] < FLOOR_OF[room], f"{path.name} imports {name}"


def test_every_room_has_a_floor():
    rooms = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in MODULES}
    assert rooms == set(FLOOR_OF)


def test_only_images_knows_the_range_of_pixels():
    knowing = [path.name for path in MODULES if "127.5" in path.read_text(encoding="utf-8")]
    assert knowing == ["images.py"]


@pytest.mark.parametrize("word", ["utils", "common", "helpers", "base", "misc"])
def test_no_file_is_named_after_nothing(word):
    # An encoding's contract is the one base that there is.
    assert {path.relative_to(PACKAGE) for path in PACKAGE.rglob(f"{word}*")} <= {Path("encodings/base.py")}


# `presets` lists the recipes, which are data; the words and bounds of a verdict are those of exports.
EXCEPTIONS = {"keras_pix2pix.training.presets"} | {
    f"keras_pix2pix.deploy.{module}" for module in ("acceptance", "verdict", "gpu_delegate")
}


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=lambda path: path.name)
def test_the_command_line_imports_the_public_names_and_runs(path):
    grounds = FLOORS[0] | {"cli", "runs"}
    for name in imports_of(path):
        if name.startswith("keras_pix2pix.") and name not in EXCEPTIONS:
            assert room_of(name) in grounds, f"{path.name} imports {name}"
