"""How far from the Keras model an exported file may be."""

from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from keras_pix2pix.encodings import Encoding
from keras_pix2pix.metrics import MOST_DECIBELS

__all__ = ["accepted_of", "require", "words_of"]

# By quantization: the largest difference in grey levels, the smallest PSNR in dB, and the smallest share of a label
# map's pixels that keep their class. On the 106 test pictures of the facades, a U-Net-256 and a mobile network
# trained on them differ from Keras by at most 1 level in float32, where sums are rounded in another order, and reach
# 71 and 66 dB in float16, 49 to 56 with int8 weights and 45 to 51 in static int8 (benchmarks/quantization.py). Below
# 40 dB, where the root of the mean square is 2.6 levels, differences become visible.
_ACCEPTED = {
    "none": {"levels": 1, "equal": 0.999},
    "float16": {"psnr": 45, "equal": 0.99},
    "weights": {"psnr": 40, "equal": 0.99},
    "dynamic": {"psnr": 40, "equal": 0.99},
    "int8": {"psnr": 40, "equal": 0.99},
}
# What to try if the difference is larger.
_ADVICE = {
    "none": "Replace the layer that is converted wrongly",
    "float16": "Try `quantization='none'`",
    "dynamic": "Try `quantization='weights'` or 'float16'",
    "weights": "Try `quantization='float16'`",
    "int8": "Try more representative pictures, or `quantization='dynamic'`",
}
_RANGES = {"psnr": (0, MOST_DECIBELS), "levels": (0, 255), "equal": (0, 1)}


def accepted_of(quantization: str, encoding: Encoding, accept: Mapping[str, float] | None = None) -> dict[str, float]:
    """The limits for a file: the defaults of its quantization, overridden by `accept`."""
    names = ("equal",) if encoding.is_label_map else ("psnr", "levels")
    accept = {} if accept is None else accept
    if not isinstance(accept, Mapping) or not _RANGES.keys() >= accept.keys():
        raise ValueError(f"`accept` must be a dictionary with names of {', '.join(_RANGES)}. Received: {accept!r}.")
    for name, value in accept.items():
        low, high = _RANGES[name]
        if not isinstance(value, Real) or not low <= value <= high:  # Not NaN either.
            raise ValueError(f"{name!r} of `accept` must be a number from {low} to {high:g}. Received: {value!r}.")
        if name not in names:
            raise ValueError(
                f"{name!r} of `accept` does not apply to this target, {encoding.word!r}. Accepted: "
                f"{' and '.join(names)}. Received: {value!r}."
            )
    # Plain Python numbers, which JSON can store.
    accept = {name: value if isinstance(value, int) else float(value) for name, value in accept.items()}
    return {name: value for name, value in {**_ACCEPTED[quantization], **accept}.items() if name in names}


def require(parity: Any, path: str | Path, accepted: Mapping[str, float], quantization: str = "none") -> None:
    """Raise for a file that differs by more than is accepted."""
    tests = [(words_of(name, value), _passes(name, value, parity)) for name, value in accepted.items()]
    if not all(passed for _, passed in tests):
        raise RuntimeError(
            f"The exported file does not compute what the Keras model does, and was not kept as {path}. Accepted: "
            f"{' and '.join(words for words, _ in tests)}. Received: {parity}. "
            f"{_ADVICE[quantization]}, or accept more than `accept={accepted}`."
        )


def words_of(name: str, value: float) -> str:
    """An accepted limit, in words."""
    if name == "equal":
        return f"at least {100 * value:g}% of the pixels of the same class"
    return f"at least {value:g} dB" if name == "psnr" else f"at most {value:g} grey level(s)"


def _passes(name, value, parity):
    if name == "equal":
        return parity.equal >= value
    return parity.psnr >= value if name == "psnr" else parity.largest_difference <= value
