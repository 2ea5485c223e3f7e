"""The published recipes, as data."""

import copy

PRESETS = {
    # Isola et al., Sections 3.2, 3.3, 6.1 and 6.2.
    "paper": {
        "generator": {"filters": 64, "normalization": "instance", "dropout": 0.5},
        "discriminator": {"filters": 64, "num_layers": 3, "normalization": "instance"},
        "optimizer": {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-8},
        "compile": {"gan_loss": "vanilla", "lambda_l1": 100.0},
        "epochs": 200,
        "data": {
            "batch_size": 1,
            "jitter": 286 / 256,
            "mirror": True,
            "source_interpolation": "bicubic",
            "target_interpolation": "bicubic",
        },
    },
}


def preset(name):
    """One published recipe: the arguments of the functions that build it.

    Args:
        name: A key of `PRESETS`.

    Returns:
        A dict with the keys "generator", "discriminator", "optimizer", "compile", "epochs" and
        "data".

    Raises:
        ValueError: An unknown name.

    Example:

    ```python
    from keras_pix2pix.training.presets import preset

    lambda_l1 = preset("paper")["compile"]["lambda_l1"]
    ```
    """
    if name not in PRESETS:
        raise ValueError(f"The preset must be one of {', '.join(map(repr, PRESETS))}. Received: {name!r}.")
    return copy.deepcopy(PRESETS[name])


def preset_data(name):
    """How a published recipe reads its data: keyword arguments for `paired_dataset`.

    Args:
        name: "paper".

    Returns:
        A dict with batch size, jitter, mirror and the filters of both sides.

    Raises:
        ValueError: An unknown name.

    Example:

    ```python
    from keras_pix2pix import paired_dataset, preset_data
    from keras_pix2pix.data import synthetic

    synthetic.write_facades("pairs", 4)
    dataset = paired_dataset("pairs", **preset_data("paper"))
    ```

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Section 6.2.
    """
    return preset(name)["data"]
