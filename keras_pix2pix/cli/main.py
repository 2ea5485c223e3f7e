"""The program `keras-pix2pix`: its commands, and how it reports their errors."""

import contextlib
import errno
import re
import signal
import sys

import typer

from keras_pix2pix import __version__
from keras_pix2pix.cli.convert import convert
from keras_pix2pix.cli.demo import demo
from keras_pix2pix.cli.download import download
from keras_pix2pix.cli.evaluate import evaluate
from keras_pix2pix.cli.export import export
from keras_pix2pix.cli.inspect import inspect
from keras_pix2pix.cli.presets import presets
from keras_pix2pix.cli.report import report
from keras_pix2pix.cli.train import train
from keras_pix2pix.cli.translate import translate
from keras_pix2pix.terminal import safe_output

__all__ = ["main"]

_USER_MISTAKE = 2
_REMEDIES = {
    errno.EFBIG: "Raise the limit on file sizes (`ulimit -f`), or write to another drive.",
    errno.ENOSPC: "Free some space, or write to another drive.",
    errno.EDQUOT: "Free some of your space, or write to another drive.",
    errno.EROFS: "Write to another drive.",
}
_INTERRUPTED, _TERMINATED = 130, 143  # The exit codes that shells expect after Ctrl-C, SIGTERM.

_app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Paired image-to-image translation (pix2pix): train, translate, export to a phone.",
)
for command in (download, train, translate, evaluate, export, demo, report, inspect, presets, convert):
    _app.command()(command)


def _print_version(wanted: bool):
    if wanted:
        print(f"keras-pix2pix {__version__}")
        raise typer.Exit


_shown = {"traceback": False}


@_app.callback()
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_print_version, is_eager=True),
    traceback: bool = typer.Option(False, help="Show where in the program an error occurred."),
):
    _shown["traceback"] = traceback


def main(arguments=None):
    """Run a command; a user's mistake ends with one message and exit code 2. Always raises SystemExit."""
    with safe_output(), _ending_on_sigterm():
        try:
            _app(arguments, prog_name="keras-pix2pix")  # Also for `python -m`: completion is installed under this name.
        except OSError as error:
            remedy = _REMEDIES.get(error.errno, "Check its permissions and the space left.")
            place = f": {error.filename}. {remedy}" if error.filename else ""
            _fail(f"{error.strerror or error}{place}", error)
        except (ValueError, ImportError) as error:
            _fail(str(error), error)
        except RuntimeError as error:
            _fail(str(error), error, code=1)
        except KeyboardInterrupt:
            raise SystemExit(_INTERRUPTED) from None
        except Exception as error:
            _fail(_message_from_data(error), error)


@contextlib.contextmanager
def _ending_on_sigterm():
    """Within this context, SIGTERM ends the program like an error, so that no half-written files are left."""

    def end(number, frame):
        raise SystemExit(_TERMINATED)

    try:
        before = signal.signal(signal.SIGTERM, end)
    except ValueError:  # Only the main thread may set handlers.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _message_from_data(error):
    """The message of an error that TensorFlow wrapped because it occurred while reading data."""
    wrapped = re.search(r"ValueError: (.*?)\nTraceback \(most recent call last\)", str(error), re.DOTALL)
    if wrapped is None:
        raise error
    return wrapped[1]


def _fail(message, error, code=_USER_MISTAKE):
    if _shown["traceback"]:
        raise error
    print(f"keras-pix2pix: {message}", file=sys.stderr)
    raise SystemExit(code)
