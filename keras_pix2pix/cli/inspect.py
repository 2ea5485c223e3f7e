"""`keras-pix2pix inspect`."""

import shlex
from typing import Annotated, Any

import typer

from keras_pix2pix.cli.documentation import option, parameter_help
from keras_pix2pix.runs.configuration import completed
from keras_pix2pix.runs.model import parsed_image_size

__all__ = ["inspect"]

_DRAW = "data.inspection:draw_pairs"
_AUTO = ":auto"
_NOTICED = 1.02  # Times that a picture becomes wider or higher.


def inspect(
    data: Annotated[str, typer.Argument(help=parameter_help(_DRAW, "data"))],
    target: Annotated[str | None, option(_DRAW, "target")] = None,
    extra_source: Annotated[
        list[str] | None, typer.Option(help="One more folder of sources; with --target; repeatable.")
    ] = None,
    direction: Annotated[str | None, option(_DRAW, "direction")] = None,
    source_encoding: Annotated[str | None, option(_DRAW, "source_encoding")] = None,
    target_encoding: Annotated[str | None, option(_DRAW, "target_encoding")] = None,
    output: Annotated[str | None, option(_DRAW, "output")] = None,
    count: Annotated[int | None, option(_DRAW, "count")] = None,
    full: Annotated[bool, option(_DRAW, "full", "--full")] = False,
    fit: Annotated[str | None, option(_DRAW, "fit")] = None,
    image_size: Annotated[
        str | None,
        typer.Option(
            metavar="HEIGHTxWIDTH", help="Size to fit them to: 256, or HEIGHTxWIDTH, in pixels. Default: 256."
        ),
    ] = None,
):
    """Check a data set, say what was found, and draw its first pairs."""
    if target and direction:
        raise ValueError(
            "--direction is for side-by-side files; with --target the folders are the sides. Leave it out."
        )
    if extra_source and not target:
        raise ValueError("--extra-source needs folders. Accepted: DATA and --extra-source with --target. Give it too.")
    from keras_pix2pix import draw_pairs, encodings

    given: dict[str, Any] = {
        "direction": direction,
        "source_encoding": source_encoding,
        "target_encoding": target_encoding,
        "output": output,
        "count": count,
        "full": full,
        "fit": fit,
        "image_size": parsed_image_size(image_size) if image_size else None,
    }
    sources = [data, *extra_source] if extra_source else data
    findings = draw_pairs(sources, target, **{name: value for name, value in given.items() if value is not None})
    sizes = ", ".join(f"{height}x{width} ({number})" for (height, width), number in list(findings.sizes.items())[:5])
    removed = f", matched after removing {findings.endings}" if findings.endings else ""
    print(f"{findings.pairs} pairs{removed}; height x width of one side (pairs): {sizes}")
    print(_proportions(findings.sizes, fit or "stretch", given["image_size"] or completed({})["image_size"]), end="")
    found = dict(zip(("source", "target"), findings.encodings, strict=True))
    for side, word in found.items():
        if _AUTO in str(given[f"{side}_encoding"]):
            print(f"Found in the {side} files: {word}")
            given[f"{side}_encoding"] = word
    for side, shares in findings.shares.items():
        print(f"Classes of the {side}: {_in_words(shares, encodings.get(found[side]).class_names)}")
    print(f"The first of them: {findings.picture}")
    print(f"Train on them: {_train_command(data, target, extra_source or [], given, findings.subsets)}")


def _proportions(sizes, fit, image_size):
    """What stretching does to the proportions of the pictures, as a line; empty if that's nothing to speak of."""
    height, width = image_size
    found = [wide / high for high, wide in sizes]
    least, most = min(found), max(found)
    if fit != "stretch" or max(most * height / width, width / height / least) < _NOTICED:
        return ""
    words = " to ".join(dict.fromkeys(f"{each:.2f}" for each in (least, most)))
    return (
        f"One side is {words} times as wide as high: `stretch` to {height}x{width} changes that. See --fit, for "
        "`cover`, `crop` and `pad`.\n"
    )


def _in_words(shares, names):
    """The share of each class, and the classes that are in no picture, as text."""
    present = [f"{name} {share:.1%}" for name, share in zip(names, shares, strict=True) if share]
    absent = ", ".join(name for name, share in zip(names, shares, strict=True) if not share)
    none = 1 - sum(shares)
    words = [*present, f"none {none:.1%}"] if none > 1e-9 else present
    return ", ".join([*words, f"in no picture: {absent}"] if absent else words)


def _train_command(data, target, extra_source, given, subsets):
    """The command line that trains on this data set, with a share for validation unless a list names one."""
    command = ["keras-pix2pix", "train", data, *(["--target", target] if target else [])]
    for folder in extra_source:
        command += ["--extra-source", folder]
    for name in ("direction", "source_encoding", "target_encoding", "fit"):
        if given[name] is not None:
            command += [f"--{name.replace('_', '-')}", given[name]]
    if given["image_size"]:
        command += ["--image-size", "x".join(map(str, given["image_size"]))]
    return shlex.join([*command, *([] if subsets else ["--validation-split", "0.1"]), "--run-dir", "run"])
