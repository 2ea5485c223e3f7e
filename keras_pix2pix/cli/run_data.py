"""The data sets of a run, by its configuration."""

from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.images import whole_file

SYNTHETIC = "synthetic"
SYNTHETIC_PAIRS = {"train": (400, 0), "validation": (16, 1_000_000)}  # Pairs, first seed.
DRAWN_FOLDER = "data"
ENCODINGS = ("source_encoding", "target_encoding")


def run_folders(config, run_dir, resume):
    """Where the data of a run lie; drawn ones are drawn if they are not there yet.

    Args:
        config: Configuration of the run, a dictionary.
        run_dir: Its folder, a `Path`.
        resume: Whether the run goes on, and what is drawn may stay.

    Returns:
        (folder or folders of sources, folder of targets or None) of the training data, and the same of the
        validation data, or None.

    Example:

    ```python
    from pathlib import Path
    from keras_pix2pix.cli.run_data import run_folders

    training, validation = run_folders({"data": "labels", "target": "photos"}, Path("run"), resume=False)
    ```
    """
    training = _sources(config, "data", "extra_source"), config.get("target")
    validation = None
    if "validation" in config:
        validation = _sources(config, "validation", "extra_validation_source"), config.get("validation_target")
    if config["data"] != SYNTHETIC:
        return training, validation
    drawn = {split: run_dir / DRAWN_FOLDER / split for split in SYNTHETIC_PAIRS}
    for split, directory in drawn.items():
        if not (resume and directory.exists()):
            _draw(directory, split, config["image_size"])
    return (drawn["train"], None), validation or (drawn["validation"], None)


def run_dataset(config, folders, **options):
    """One of the data sets of a run.

    Args:
        config: Configuration of the run, a dictionary.
        folders: What `run_folders` returned of it.
        **options: Further arguments of `paired_dataset`.

    Returns:
        A `tf.data.Dataset`.

    Example:

    ```python
    from keras_pix2pix.cli.run_data import run_dataset
    from keras_pix2pix.data import synthetic

    synthetic.write_facades("pairs", 4, image_size=(64, 64))
    config = {"preset": "paper", "image_size": (64, 64), "batch_size": 2, "seed": 0, "direction": "AtoB"}
    dataset = run_dataset(config, ("pairs", None))
    ```
    """
    from keras_pix2pix import paired_dataset, paired_dataset_from_folders, preset_data

    options = {
        **preset_data(config["preset"], config.get("changes")),
        **{name: config[name] for name in ("image_size", "batch_size", "seed")},
        **{name: config[name] for name in (*ENCODINGS, "color_jitter") if name in config},
        **options,
    }
    directory, target = folders
    if target:
        return paired_dataset_from_folders(directory, target, **options)
    return paired_dataset(directory, direction=config["direction"], **options)


def run_encodings(config):
    """How source and target of a run lie in files.

    Args:
        config: Configuration of the run, a dictionary.

    Returns:
        The encodings of source and target.

    Example:

    ```python
    from keras_pix2pix.cli.run_data import run_encodings

    source_encoding, target_encoding = run_encodings({"data": "labels", "source_encoding": "classes:12"})
    ```
    """
    from keras_pix2pix.data.pairs import encoding_of_folders
    from keras_pix2pix.encodings import get

    source_encoding, target_encoding = (config.get(name, "rgb") for name in ENCODINGS)
    folders = [config["data"], *config.get("extra_source", [])]
    return encoding_of_folders(source_encoding, folders), get(target_encoding)


def _sources(config, first, extra):
    return [config[first], *config[extra]] if extra in config else config[first]


def _draw(directory, split, image_size):
    count, first_seed = SYNTHETIC_PAIRS[split]
    with whole_file(directory) as temporary:
        write_facades(temporary, count, image_size=image_size, seed=first_seed)
