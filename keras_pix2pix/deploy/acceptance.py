"""How far from the Keras model an exported file may be."""

from numbers import Real

from keras_pix2pix.encodings import Picture
from keras_pix2pix.metrics import MOST_DECIBELS

# By how the weights were reduced: largest difference in grey levels, smallest ratio in dB, smallest share of the pixels
# of a label map that are of the same class. On the 106 test pictures of the facades, a U-Net-256 and a mobile network
# trained on them are 1 level from Keras at most in float32, where sums are rounded in another order, and reach 71 and
# 66 dB in float16, 49 to 56 with int8 weights and 45 to 51 in static int8 (benchmarks/quantization.py). Below 40 dB,
# where the root of the mean square is 2.6 levels, differences begin to be seen.
ACCEPTED = {
    "none": {"most_levels": 1, "least_equal": 0.999},
    "float16": {"least_psnr": 45, "least_equal": 0.99},
    "weights": {"least_psnr": 40, "least_equal": 0.99},
    "dynamic": {"least_psnr": 40, "least_equal": 0.99},
    "int8": {"least_psnr": 40, "least_equal": 0.99},
}
# And what to try if it is further.
ADVICE = {
    "none": "Replace the layer that is converted wrongly",
    "float16": "Try `quantization='none'`",
    "dynamic": "Try `quantization='weights'` or 'float16'",
    "weights": "Try `quantization='float16'`",
    "int8": "Try more representative pictures, or `quantization='dynamic'`",
}
RANGES = {"least_psnr": (0, MOST_DECIBELS), "most_levels": (0, 255), "least_equal": (0, 1)}


def accepted_of(quantization, encoding, *, least_psnr=None, most_levels=None, least_equal=None):
    """What is accepted of a file: the defaults of its format, and what was asked for in their place."""
    given = {"least_psnr": least_psnr, "most_levels": most_levels, "least_equal": least_equal}
    given = {name: value for name, value in given.items() if value is not None}
    names = {"least_psnr", "most_levels"} if isinstance(encoding, Picture) else {"least_equal"}
    for name, value in given.items():
        low, high = RANGES[name]
        if not isinstance(value, Real) or not low <= value <= high:  # Not NaN either.
            raise ValueError(f"`{name}` must be a number from {low} to {high:g}. Received: {name}={value!r}.")
        if name not in names:
            raise ValueError(
                f"`{name}` does not apply to this target, {encoding.word!r}. Accepted: {' and '.join(sorted(names))}. "
                f"Received: {name}={value!r}."
            )
    # Python's own numbers, which JSON takes.
    given = {name: value if isinstance(value, int) else float(value) for name, value in given.items()}
    return {name: value for name, value in {**ACCEPTED[quantization], **given}.items() if name in names}


def require(parity, path, accepted, quantization="none"):
    """Refuse a file that differs by more than is accepted."""
    tests = [(words_of(name, value), _passes(name, value, parity)) for name, value in accepted.items()]
    if not all(passed for _, passed in tests):
        raise RuntimeError(
            f"The exported file does not compute what the Keras model does, and was not kept as {path}. Accepted: "
            f"{' and '.join(words for words, _ in tests)}. Received: {parity}. "
            f"{ADVICE[quantization]}, or accept more by {' or '.join(f'`{name}`' for name in accepted)}."
        )


def words_of(name, value):
    """What is accepted, in words."""
    if name == "least_equal":
        return f"at least {100 * value:g}% of the pixels of the same class"
    return f"at least {value:g} dB" if name == "least_psnr" else f"at most {value:g} grey level(s)"


def _passes(name, value, parity):
    if name == "least_equal":
        return parity.equal >= value
    return parity.psnr >= value if name == "least_psnr" else parity.largest_difference <= value
