"""Who may import whom, read from the imports."""

import ast
import functools
import importlib
import inspect
import re
from pathlib import Path

import keras
import pytest

import keras_pix2pix

PACKAGE = Path(keras_pix2pix.__file__).parent
# Folders and files of one floor don't import each other; each imports from the floors below.
FLOORS = [
    {"files", "quiet", "run_folder", "terminal"},
    {"dominant_colors", "images", "metrics", "pretrained"},
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
# Rooms where `__all__` names what other modules import, and everything else has an underscore.
ROOMS_WITH_EXPORTS = {room for floor in FLOORS for room in floor} - {"__main__"}
# Modules whose `__all__` names only what users import; other modules may import more.
PUBLIC_MODULES = {"images.py", "metrics.py", "data/synthetic.py"}
# Rooms where every function that `__all__` reaches is annotated.
ANNOTATED_ROOMS = ("callbacks", "data", "deploy", "evaluation", "inference", "networks", "report", "training")


def room_of(module):
    return module.split(".")[1]


def module_of(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


EXPORTING = [path for path in MODULES if room_of(module_of(path)) in ROOMS_WITH_EXPORTS]
by_path = pytest.mark.parametrize("path", EXPORTING, ids=lambda path: str(path.relative_to(PACKAGE)))


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


def names_defined_in(path):
    """The names that a module defines or imports at its top level, imported ones apart."""
    defined, imported = set(), set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            imported |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    return defined, imported


@functools.cache
def names_used_by_other_modules():
    """(module, name) of every import in the package, and of every attribute of an imported module."""
    used = set()
    for path in [*PACKAGE.rglob("*.py"), PACKAGE / "__init__.pyi"]:
        tree, modules = ast.parse(path.read_text(encoding="utf-8")), {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                module = f"keras_pix2pix.{node.module}" if node.level else node.module
                used |= {(module, alias.name) for alias in node.names}
                modules |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                used.add((modules[node.value.id], node.attr))
    return used


def exports_of(path):
    return getattr(importlib.import_module(module_of(path)), "__all__", [])


def is_public(path):
    return path.relative_to(PACKAGE).as_posix() in PUBLIC_MODULES or path.name == "__init__.py"


def annotations_in(module):
    """The annotations of everything that a module exports, as one text."""
    members = [getattr(module, name) for name in module.__all__]
    return " ".join(str(function.__annotations__) for member in members for function in functions_of(member))


def is_registered(member):
    """Whether Keras knows a class by its name, which is in saved files."""
    return inspect.isclass(member) and keras.saving.get_registered_name(member) != member.__name__


@by_path
def test_names_without_underscore_are_exported(path):
    defined, imported = names_defined_in(path)
    unexported = {name for name in defined if not name.startswith("_")} - set(exports_of(path))
    if is_public(path):
        unexported = {name for name in unexported if (module_of(path), name) not in names_used_by_other_modules()}
    assert unexported == set(), "name them in `__all__`, or give them an underscore"
    assert set(exports_of(path)) <= defined | imported


@by_path
def test_exported_names_are_used_elsewhere(path):
    module = importlib.import_module(module_of(path))
    unused = [
        name
        for name in exports_of(path)
        if not is_public(path)
        and (module.__name__, name) not in names_used_by_other_modules()
        and not is_registered(getattr(module, name))
        and not re.search(rf"\b{name}\b", annotations_in(module))  # Its functions take or return it.
    ]
    assert unused == [], "no other module imports them: give them an underscore"


def functions_of(member):
    """A function; of a class, its constructor and public methods, but for those that a class of others declares."""
    if inspect.isfunction(member):
        yield member
    if not inspect.isclass(member) or issubclass(member, tuple):
        return
    theirs = [base for base in member.__mro__[:-1] if not base.__module__.startswith("keras_pix2pix")]
    for name, attribute in vars(member).items():
        if name == "__init__" or not (name.startswith("_") or any(name in vars(base) for base in theirs)):
            function = getattr(attribute, "fget", None) or getattr(attribute, "__func__", attribute)
            if inspect.isfunction(function) and function.__module__ == member.__module__:
                yield function


def unannotated(function):
    annotated = function.__annotations__
    names = [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]
    return [name for name in [*names, "return"] if name not in annotated]


@pytest.mark.parametrize(
    "path",
    [path for path in EXPORTING if room_of(module_of(path)) in ANNOTATED_ROOMS],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_exported_functions_are_annotated(path):
    module = importlib.import_module(module_of(path))
    members = [getattr(module, name) for name in exports_of(path)]
    missing = {
        function.__qualname__: unannotated(function)
        for member in members
        for function in functions_of(member)
        if unannotated(function)
    }
    assert missing == {}
