"""The curves of a run's history: coordinates for the SVG drawings in the report."""

from matplotlib.ticker import MaxNLocator

__all__ = ["GEOMETRY", "charts"]

_WIDTH, _HEIGHT = 360, 190  # In units of the SVG drawing, which the page scales.
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 346, 8, 164
GEOMETRY = {"width": _WIDTH, "height": _HEIGHT, "left": _LEFT, "right": _RIGHT, "bottom": _BOTTOM}  # For the template.
_LARGEST = 1e100  # Larger values overflow when they are scaled.
_MOST_POINTS = 400  # A line of this width can't show more.
_TITLES = {
    "Difference from the target: L1": ("g_l1",),
    "Likeness to the target: PSNR, dB": ("psnr",),
    "Likeness to the target: SSIM": ("ssim",),
    "Discriminator: probability of being real": ("d_real", "d_fake"),
    "Discriminator: patches judged right": ("d_accuracy",),
    "Generator: adversarial loss": ("g_gan",),
    "Generator: loss": ("g_loss",),
    "Discriminator: loss": ("d_loss",),
    "Learning rates": ("g_learning_rate", "d_learning_rate"),
    "Images a second, in training": ("images_per_second",),
}


def charts(history: dict[str, list]) -> list[dict]:
    """The charts of a history: known logs grouped by subject, each other log in a chart of its own."""
    known = {name for names in _TITLES.values() for name in names}
    others = sorted({name.removeprefix("val_") for name in history} - known - {"epoch"})
    subjects = {**_TITLES, **{name: (name,) for name in others}}
    drawn = (_chart(title, names, history) for title, names in subjects.items())
    return [chart for chart in drawn if chart]


def _chart(title, names, history):
    thinned = slice(None, None, max(1, -(-len(history["epoch"]) // _MOST_POINTS)))
    columns = [
        # If there is only one log, its validation gets the second colour.
        (prefix + name, 1 if prefix and len(names) == 1 else color, bool(prefix))
        for color, name in enumerate(names)
        for prefix in ("", "val_")
        if any(map(_is_drawn, history.get(prefix + name, ())[thinned]))
    ]
    if not columns:
        return None
    epochs = [epoch + 1 for epoch in history["epoch"]]
    values = [value for name, *_ in columns for value in history[name][thinned] if _is_drawn(value)]
    # Leave a little room, even if the values are constant.
    margin = (max(values) - min(values)) * 0.04 or abs(values[0]) * 0.05 or 1.0
    x_scale = _scale(epochs[0], max(epochs[-1], epochs[0] + 1), _LEFT, _RIGHT)
    y_scale = _scale(min(values) - margin, max(values) + margin, _BOTTOM, _TOP)
    lines = []
    for name, color, validation in columns:
        paths = _paths(epochs[thinned], history[name][thinned], x_scale, y_scale)
        lines.append(
            {
                "name": name,
                "color": color,
                "validation": validation,
                "last": history[name][-1],
                "paths": [" ".join(path) for path in paths if len(path) > 1],
                "dots": [path[0].split(",") for path in paths if len(path) == 1],
            }
        )
    return {
        "title": title,
        "lines": lines,
        "x_ticks": [(x_scale(each), f"{each:g}") for each in _ticks(epochs[0], epochs[-1], integer=True)],
        "y_ticks": [(y_scale(each), f"{each:.6g}") for each in _ticks(min(values) - margin, max(values) + margin)],
    }


def _is_drawn(value):
    return abs(value) <= _LARGEST  # False for NaN.


def _scale(low, high, start, end):
    return lambda value: round(start + (value - low) / (high - low) * (end - start), 1)


def _ticks(low, high, integer=False):
    locator = MaxNLocator(nbins=6, integer=integer, steps=[1, 2, 2.5, 5, 10])
    return [each for each in locator.tick_values(low, high) if low <= each <= high]


def _paths(epochs, values, x_scale, y_scale):
    """Points "x,y" as a list of paths; a value that isn't drawn ends a path."""
    paths = [[]]
    for epoch, value in zip(epochs, values, strict=True):
        if _is_drawn(value):
            paths[-1].append(f"{x_scale(epoch)},{y_scale(value)}")
        elif paths[-1]:
            paths.append([])
    return [path for path in paths if path]
