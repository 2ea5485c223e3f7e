"""A functional network built anew, one layer after the other, without what only training needs."""

import keras
from keras import layers

# They return what they are given, unless a call says `training=True`.
IDLE = (
    layers.ActivityRegularization,
    layers.AlphaDropout,
    layers.Dropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Identity,
    layers.SpatialDropout2D,
)


def leaves(network):
    """The layers of a network and of the networks inside it, in order.

    Args:
        network: `keras.Model`.

    Returns:
        An iterator over layers that are no networks.

    Example:

    ```python
    from keras_pix2pix import unet_generator
    from keras_pix2pix.inference.walk import leaves

    names = [layer.name for layer in leaves(unet_generator((64, 64, 3), filters=2))]
    ```
    """
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer)
        else:
            yield layer


def rebuilt(network, visit, source=None):
    """The network that comes of calling a function instead of each layer, in the order of computation.

    Dropout, noise and other layers that do nothing once training is over are passed by. A `Sequential` network inside
    the network is opened.

    Args:
        network: Functional or `Sequential` network with one input. It is left as it is.
        visit: Function (layer, *inputs, **options) of symbolic tensors, with the options that the layer was called
            with, to its result.
        source: `keras.Input` of the new network. Defaults to None: one like the old network's.

    Returns:
        A functional `keras.Model`.

    Example:

    ```python
    from keras_pix2pix import unet_generator
    from keras_pix2pix.inference.walk import rebuilt

    names = []
    generator = unet_generator((64, 64, 3), filters=2)
    rebuilt(generator, lambda layer, *inputs, **options: names.append(layer.name) or layer(*inputs, **options))
    assert "dropout" not in " ".join(names)
    ```
    """

    def call(layer, *inputs, **options):
        training = options.get("training") is True
        if type(layer) in IDLE and not training:
            return inputs[0]
        if type(layer) is keras.Sequential and not training:
            for inner in layer.layers:
                inputs = [call(inner, *inputs)]
            return inputs[0]
        return visit(layer, *inputs, **options)

    if isinstance(network, keras.Sequential):
        source = keras.Input(network.input_shape[1:]) if source is None else source
        return keras.Model(source, call(network, source), name=network.name)
    return keras.models.clone_model(
        network, input_tensors=source, clone_function=lambda layer: layer, call_function=call
    )
