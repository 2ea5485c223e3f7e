"""How good the generated images are, and a run's report. The names below are imported when they are first used."""

import importlib

_HOMES = {
    **dict.fromkeys(("PSNR", "SSIM", "psnr", "ssim"), "keras_pix2pix.evaluation.metrics"),
    "write_report": "keras_pix2pix.evaluation.report",
}

__all__ = [*_HOMES]


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__():
    return sorted(__all__)
