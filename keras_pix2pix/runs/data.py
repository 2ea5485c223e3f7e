"""The data sets of a run, from its configuration."""

import os

import numpy as np

from keras_pix2pix.data.fitting import fitting_of, open_sides
from keras_pix2pix.data.pair_lists import subsets_in
from keras_pix2pix.data.synthetic import holds_only_facades, write_facades
from keras_pix2pix.files import whole_file
from keras_pix2pix.run_folder import RunFolder

__all__ = [
    "SYNTHETIC",
    "check_labels",
    "folder_sources",
    "run_dataset",
    "run_encodings",
    "run_fitting",
    "run_folders",
    "run_pairs",
    "run_sources",
    "spread",
    "with_found_encodings",
]

SYNTHETIC = "synthetic"
_SYNTHETIC_PAIRS = {"train": (400, 0), "validation": (16, 1_000_000)}  # Pairs, first seed.
_ENCODINGS = ("source_encoding", "target_encoding")


def run_folders(config, run_dir, resume):
    """The folders of a run's training and validation data; "synthetic" data are drawn if they are missing."""
    training = _sources(config, "data", "extra_source"), config.get("target")
    validation = None
    if "validation" in config:
        validation = _sources(config, "validation", "extra_validation_source"), config.get("validation_target")
    elif "validation_split" in config or "validation" in subsets_in(config["data"]):
        validation = training
    if config["data"] != SYNTHETIC:
        return training, validation
    drawn = {split: RunFolder(run_dir).drawn_data / split for split in _SYNTHETIC_PAIRS}
    wanted = {split: directory for split, directory in drawn.items() if not (resume and directory.exists())}
    for split, directory in wanted.items():
        _refuse_files_of_others(directory, split)
    for split, directory in wanted.items():
        _draw(directory, split, config["image_size"])
    return (drawn["train"], None), validation or (drawn["validation"], None)


def run_dataset(config, folders, subset=None, **options):
    """The data set of one of the results of `run_folders`."""
    from keras_pix2pix import paired_dataset, preset_data

    options = {
        **preset_data(config["preset"], config.get("changes")),
        **{name: config[name] for name in ("image_size", "batch_size", "seed")},
        **{name: config[name] for name in (*_ENCODINGS, "color_jitter", "fit", "rotate") if name in config},
        **options,
    }
    directory, target = folders
    options |= _part(config, directory, subset or ("training" if options.get("training", True) else "validation"))
    if target:
        return paired_dataset(directory, target, **options)
    return paired_dataset(directory, direction=config["direction"], **options)


def run_encodings(config):
    """The encodings of a run's source and target."""
    from keras_pix2pix.data.pairs import encodings_of_sides

    words = (config.get(name, "rgb") for name in _ENCODINGS)
    return encodings_of_sides(_sources(config, "data", "extra_source"), config.get("target"), *words)


def run_fitting(config, image_size=None):
    """How a run fits pictures to its `image_size`, or to another, when it doesn't train."""
    return fitting_of(config.get("fit", "stretch"), image_size or config["image_size"])


def with_found_encodings(config, folders):
    """The configuration of a new run, with what the data contain for "auto", and the colours of tables."""
    from keras_pix2pix.data.found_encodings import found_encodings
    from keras_pix2pix.encodings import get

    words = [config.get(name, "rgb") for name in _ENCODINGS]
    training, validation = folders
    places = [training, *([validation] if validation and validation != training else [])]
    found = found_encodings(places, config["direction"], *words)
    for name, word, encoding in zip(_ENCODINGS, words, found, strict=True):
        # In a table, a file's palette or the word "auto": what the word means is kept with the run.
        if name in config and (":auto" in word or ".csv" in word or get(word) != encoding):
            print(f"{name.replace('_', ' ').capitalize()}, as found: {encoding.word}")
            config = {**config, name: encoding.word}
    return config


def check_labels(config, folders):
    """Read the label maps of a run completely, if it has any."""
    from keras_pix2pix.data.label_maps import check_label_maps

    for place, subset in zip(folders, ("training", "validation"), strict=True):
        if place:
            check_label_maps(run_pairs(config, place, subset), run_encodings(config))


def run_sources(config, folders, image_size, count, subset="validation"):
    """Stored source pixels `(pictures, height, width, channels)` of `count` pairs, spread evenly over a data set."""
    from keras_pix2pix import preset_data

    encodings = run_encodings(config)
    pairs = run_pairs(config, folders, subset)
    data = preset_data(config["preset"], config.get("changes"))
    interpolations = data["source_interpolation"], data["target_interpolation"]
    fitting, chosen = run_fitting(config, image_size), spread(pairs, count)
    fitting.check(chosen, encodings)
    return np.stack([fitting.fitted(open_sides(pair, encodings, interpolations)[0]) for pair in chosen])


def run_pairs(config, folders, subset="validation"):
    """The pairs of one of the results of `run_folders`; for a folder that holds both, those of a subset."""
    from keras_pix2pix.data.pairs import find_pairs, subset_of

    directory, target = folders
    pairs = find_pairs(directory, target, config["direction"], *run_encodings(config))
    part = _part(config, directory, subset)
    return subset_of(pairs, part["validation_split"], part["subset"], config["seed"]) if part else pairs


def _part(config, directory, subset):
    """The arguments of `paired_dataset` that divide a data set; empty if it isn't divided."""
    if subsets_in(directory) or "validation_split" in config:
        return {"validation_split": config.get("validation_split", 0), "subset": subset}
    return {}


def folder_sources(directory, encoding, image_size, count):
    """Stored source pixels `(pictures, height, width, channels)` of `count` pictures, spread evenly over a folder."""
    from keras_pix2pix.data.folders import list_picture_files

    if len(encoding.parts) > 1:
        raise ValueError(
            f"--images takes one folder of sources, and this model needs {len(encoding.parts)} for every picture. "
            f"Received: {directory}. Export the run folder without --images: its own data are used."
        )
    files = spread(list_picture_files(directory), count)
    return np.stack([encoding.raw(encoding.open(file), file, image_size) for file in files])


def spread(items, count):
    """At most `count` of the items, evenly spaced."""
    return [items[index] for index in np.unique(np.linspace(0, len(items) - 1, count).astype(int))]


def _sources(config, first, extra):
    return [config[first], *config[extra]] if extra in config else config[first]


def _refuse_files_of_others(directory, split):
    count, first_seed = _SYNTHETIC_PAIRS[split]
    if os.path.lexists(directory) and not holds_only_facades(directory, count, seed=first_seed):
        raise ValueError(
            f"{directory} exists and holds something other than drawn facades, which would replace it. Nothing was "
            "changed. Move it away, or choose another --run-dir."
        )


def _draw(directory, split, image_size):
    count, first_seed = _SYNTHETIC_PAIRS[split]
    with whole_file(directory) as temporary:
        write_facades(temporary, count, image_size=image_size, seed=first_seed)
