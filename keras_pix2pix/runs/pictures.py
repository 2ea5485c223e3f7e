"""Source pictures for an export: from a folder, or from the data of the exported run."""

from pathlib import Path

from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.configuration import resumed_configuration
from keras_pix2pix.runs.data import folder_sources, run_folders, run_sources

__all__ = ["COMPARED", "REPRESENTATIVE", "configuration_of", "needed_configuration", "source_pictures"]

_USUAL_SIZE = 256
COMPARED = {"count": 16, "kinds": ("validation", "training")}
# More pictures give no better ranges: benchmarks/quantization.py.
REPRESENTATIVE = {"count": 32, "kinds": ("training",)}


def configuration_of(run):
    """The configuration of a run folder, or of the run that a `.keras` file belongs to; None if there is none."""
    folder = RunFolder.of(run)
    return resumed_configuration(folder.path, {}) if folder.configuration.is_file() else None


def needed_configuration(run):
    """The configuration of a run folder, or of the run that a `.keras` file belongs to; raises if there is none."""
    config = configuration_of(run)
    if config is None:
        raise ValueError(
            f"There is no run at {run}: a model needs its config.json beside it. Accepted: a run folder of "
            "`keras-pix2pix train`, or a .keras file in it. For pictures from another program, pass --generated."
        )
    return config


def source_pictures(run, model, images=None, image_size=None, *, count, kinds):
    """Stored source pixels and their origin as text; without any, None and what is used instead."""
    from keras_pix2pix.inference.serving import encodings_of, generator_of

    image_size = image_size or tuple(side or _USUAL_SIZE for side in generator_of(model).input_shape[1:3])
    if images:
        pixels = folder_sources(images, encodings_of(model)[0], image_size, count)
        return pixels, f"{_number(pixels)} of {images}"
    config = configuration_of(run)
    data = {}
    if config:
        data = dict(
            zip(("training", "validation"), run_folders(config, RunFolder.of(run).path, resume=True), strict=True)
        )
    for kind in kinds:
        if data.get(kind) and _are_there(data[kind]):
            pixels = run_sources(config, data[kind], image_size, count, subset=kind)
            return pixels, f"{_number(pixels)} of the {kind} data"
    return None, "drawn label maps"


def _number(pixels):
    return f"{len(pixels)} picture{'s' if len(pixels) > 1 else ''}"


def _are_there(folders):
    from keras_pix2pix.data.folders import searched_folder

    sources, target = folders
    wanted = [*([sources] if isinstance(sources, (str, Path)) else sources), *([target] if target else [])]
    return all(searched_folder(folder).exists() for folder in wanted)
