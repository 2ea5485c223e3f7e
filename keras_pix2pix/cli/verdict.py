"""Reads the bounds for an export from the command line, and shows its verdict."""

from pathlib import Path

import rich.console
import rich.table
from rich.markup import escape

from keras_pix2pix.terminal import printable

__all__ = ["ACCEPT", "accepted_by", "print_verdict"]

ACCEPT = (
    "Bounds to accept the export by, instead of the defaults; repeatable: psnr=45, the least in dB; levels=1, the "
    "largest difference in grey levels; for label maps, equal=0.99, the least share of pixels of the same class."
)


def accepted_by(texts):
    """The dictionary of bounds that the exports take, from the texts of --accept."""
    accept = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            accept[name] = int(value) if value.isdecimal() else float(value)
        except ValueError:
            raise ValueError(f"--accept must be NAME=NUMBER, as in psnr=45. Received: {text!r}.") from None
    return accept


def print_verdict(parity):
    """Show the result of an export: a table on a terminal, plain lines in a pipe."""
    console = rich.console.Console()
    if not console.is_terminal:
        print(f"{parity.path}: {parity}", flush=True)
        if parity.operators:
            print(f"{parity.path}: {_on_gpus(parity)}", flush=True)
        return
    # The user's names may hold square brackets, which are markup to rich.
    title = escape(printable(parity.path))
    table = rich.table.Table(box=None, pad_edge=False, show_header=False, title=title, title_justify="left")
    for row in _rows(parity):
        table.add_row(*(escape(printable(cell)) for cell in row))
    console.print(table)


def _rows(parity):
    from keras_pix2pix.deploy.acceptance import words_of
    from keras_pix2pix.deploy.verdict import PICTURE

    bounds = {name: f"accepted: {words_of(name, value)}" for name, value in parity.accepted.items()}
    yield "compared on", f"{parity.pictures} {'drawn label maps' if parity.drawn_pictures else 'pictures'}", ""
    yield "size", f"{parity.size / 1e6:.2f} MB", ""
    if parity.equal is not None:
        yield "same class", f"{parity.equal:.3%} of the pixels", bounds.get("equal", "")
    else:
        yield "PSNR", f"{parity.psnr:.1f} dB", bounds.get("psnr", "")
        yield "largest difference", f"{parity.largest_difference:.3g} grey level(s)", bounds.get("levels", "")
        yield "mean difference", f"{parity.mean_difference:.3g} grey levels", ""
    if parity.ssim is not None:
        yield "SSIM", f"{parity.ssim:.5f}", ""
    for name, milliseconds in (parity.latency or {}).items():
        yield f"a picture, {name}", f"{milliseconds:.1f} ms", ""
    if parity.operators:
        yield "operators", ", ".join(f"{name} {count}" for name, count in parity.operators.items()), ""
        yield "phones", _on_gpus(parity), ""
    yield "worst picture", Path(parity.path).name + PICTURE, ""


def _on_gpus(parity):
    from keras_pix2pix.deploy.gpu_delegate import OF_NO_FIXED_SIZE

    if any(OF_NO_FIXED_SIZE in words for words in parity.gpu_fallbacks):
        return "for CPUs: GPUs want a fixed size"
    listed = ", ".join(f"{count} {words}" for words, count in parity.gpu_fallbacks.items())
    return f"operators that GPUs leave to the CPU: {listed or 'none'}"
