"""Source pictures of a run, for exports to show and to be compared on."""

from pathlib import Path

from keras_pix2pix.cli.configuration import CONFIG_FILE, resumed_configuration
from keras_pix2pix.cli.run_data import run_dataset, run_folders


def run_sources(run, model, image_size=None, count=64):
    """The first sources of a run's validation data, or of its training data if it has no other.

    Args:
        run: What the command was given, a run folder or a file.
        model: The `Pix2Pix` or generator in it.
        image_size: (height, width) in pixels. Defaults to None: the size that the generator was built for.
        count: Pictures at most. Defaults to 64.

    Returns:
        An array `(pictures, height, width, channels)` as the source's encoding stores them; None for a file, or where
        the data are not there any more.

    Example:

    ```python
    from keras_pix2pix import unet_generator
    from keras_pix2pix.cli.run_sources import run_sources

    sources = run_sources("generator.keras", unet_generator((64, 64, 3), filters=8))  # None
    ```
    """
    import numpy as np

    from keras_pix2pix.networks.serving import encodings_of

    if not (Path(run) / CONFIG_FILE).is_file():
        return None
    config = resumed_configuration(Path(run), {})
    size = image_size or getattr(model, "generator", model).input_shape[1:3]
    try:
        training, validation = run_folders(config, Path(run), resume=True)
        dataset = run_dataset(config, validation or training, training=False, image_size=size, batch_size=1)
    except ValueError as error:
        print(f"The run's data can't be shown, and drawn label maps stand in for them: {error}")
        return None
    to_raw = encodings_of(model)[0].to_raw
    return np.concatenate([np.asarray(to_raw(source)) for source, *_ in dataset.take(count)])
