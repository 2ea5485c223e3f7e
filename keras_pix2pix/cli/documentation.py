"""Help texts from the docstrings of the functions that receive the flags.

The docstrings are read from the source files, so that `--help` doesn't wait for TensorFlow.
"""

import ast
import functools
from pathlib import Path

import typer

__all__ = ["option", "parameter_help"]

_PACKAGE = Path(__file__).parents[1]


def option(home, parameter, *flags, **settings):
    """A `typer.Option` with the help text from a function's docstring."""
    return typer.Option(*flags, help=parameter_help(home, parameter), **settings)


def parameter_help(home, parameter):
    """The docstring's text about a parameter, as one paragraph."""
    return _entries(home)[parameter]


@functools.cache
def _entries(home):
    module, _, name = home.partition(":")
    node = ast.parse((_PACKAGE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    for part in name.split("."):
        node = next(each for each in node.body if getattr(each, "name", None) == part)
    section = ast.get_docstring(node).partition("Args:\n")[2].partition("\n\n")[0]
    entries, parameter = {}, None
    for line in section.splitlines():
        if not line.startswith(" " * 8):
            parameter, _, line = line.strip().partition(":")
            entries[parameter] = line.strip()
        else:
            entries[parameter] += " " + line.strip()
    return entries
