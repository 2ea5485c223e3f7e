"""Networks as older code has them, on TensorFlow 2.15 and tensorflow-addons: saved, and run on random images.

`test_addons.py` runs this file in an environment of its own: `python addons_networks.py FOLDER`.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
from tensorflow.keras import layers

SIZE = 32
WIDTHS = (4, 8, 16, 16)


def flat_unet(norm, slope=0.2):
    """Layers one by one, as most code on tensorflow-addons has them."""
    source = x = layers.Input((SIZE, SIZE, 3))
    skips = []
    for depth, width in enumerate(WIDTHS):
        x = layers.Conv2D(width, 4, strides=2, padding="same", use_bias=depth == 0)(x)
        x = norm()(x) if depth else x
        x = layers.LeakyReLU(slope)(x)
        skips.append(x)
    for width, skip in zip(WIDTHS[-2::-1], skips[-2::-1], strict=True):
        x = layers.Conv2DTranspose(width, 4, strides=2, padding="same", use_bias=False)(x)
        x = layers.Dropout(0.5)(norm()(x))
        x = layers.Concatenate()([layers.ReLU()(x), skip])
    x = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")(x)
    return tf.keras.Model(source, x)


def resizing_unet(norm):
    """Upsampling, a convolution with its activation inside, and the norm after it."""
    source = x = layers.Input((SIZE, SIZE, 3))
    skips = []
    for depth, width in enumerate(WIDTHS):
        x = layers.LeakyReLU(0.2)(layers.Conv2D(width, 4, strides=2, padding="same")(x))
        x = norm()(x) if depth else x
        skips.append(x)
    for width, skip in zip(WIDTHS[-2::-1], skips[-2::-1], strict=True):
        x = layers.Conv2D(width, 4, padding="same", activation="relu")(layers.UpSampling2D(2)(x))
        x = layers.Concatenate()([norm()(x), skip])
    x = layers.Conv2D(3, 4, padding="same", activation="tanh")(layers.UpSampling2D(2)(x))
    return tf.keras.Model(source, x)


def block_unet(norm, widths=WIDTHS, size=SIZE):
    """Sequential blocks, as TensorFlow's tutorial has them."""
    source = x = layers.Input((size, size, 3))
    skips = []
    for depth, width in enumerate(widths):
        block = tf.keras.Sequential([layers.Conv2D(width, 4, strides=2, padding="same", use_bias=False)])
        if depth:
            block.add(norm())
        block.add(layers.LeakyReLU())
        x = block(x)
        skips.append(x)
    for number, (width, skip) in enumerate(zip(widths[-2::-1], skips[-2::-1], strict=True)):
        block = tf.keras.Sequential([layers.Conv2DTranspose(width, 4, strides=2, padding="same", use_bias=False)])
        block.add(norm())
        if number < 3:
            block.add(layers.Dropout(0.5))
        block.add(layers.ReLU())
        x = layers.Concatenate()([block(x), skip])
    x = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")(x)
    return tf.keras.Model(source, x)


def called_unet(down, up):
    """As the best-known tutorial has it: batch norm called with `training` within the network."""
    source = x = layers.Input((SIZE, SIZE, 3))
    skips = []
    for depth, width in enumerate(WIDTHS):
        x = layers.Conv2D(width, 4, strides=2, padding="same")(x)
        x = layers.BatchNormalization()(x, training=down) if depth else x
        x = layers.LeakyReLU(0.2)(x)
        skips.append(x)
    for width, skip in zip(WIDTHS[-2::-1], skips[-2::-1], strict=True):
        x = layers.Conv2DTranspose(width, 4, strides=2, padding="same")(x)
        x = layers.BatchNormalization()(x, training=up)
        x = layers.Activation("relu")(layers.Concatenate()([x, skip]))
    x = layers.Conv2DTranspose(3, 4, strides=2, padding="same")(x)
    return tf.keras.Model(source, layers.Activation("tanh")(x))


def residual_network(norm):
    """What else the reader knows: padding, cropping, sums, averages, two convolutions at one name each."""
    source = layers.Input((SIZE, SIZE, 3))
    x = layers.ZeroPadding2D(((3, 3), (2, 4)))(source)
    x = layers.Activation("relu")(norm()(layers.Conv2D(6, 7)(x)))
    x = layers.Add()([x, layers.Conv2D(6, 3, padding="same", dilation_rate=2)(x)])
    x = layers.Concatenate()([layers.MaxPooling2D(2)(x), layers.AveragePooling2D(2)(x)])
    x = layers.Cropping2D(((1, 0), (1, 0)))(layers.Conv2DTranspose(5, 3, strides=2)(x))
    x = layers.SpatialDropout2D(0.5)(layers.ReLU(max_value=6.0, negative_slope=0.1)(x))
    return tf.keras.Model(source, layers.Conv2D(3, 1, activation="sigmoid")(x))


def operations_network():
    """Arithmetic on tensors, which Keras 2 saves as operations among the layers."""
    source = layers.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(4, 5)(tf.pad(source * 0.5 + 0.25, [[0, 0], [2, 2], [2, 2], [0, 0]], mode="REFLECT"))
    x = tf.nn.leaky_relu(x, alpha=0.1) + layers.Conv2D(4, 3, padding="same")(tf.nn.relu(x))
    x = tf.concat([1.0 - x / 2.0, x - 3, tf.nn.leaky_relu(x)], axis=-1)
    return tf.keras.Model(source, tf.tanh(2 * layers.Conv2D(3, 1)(tf.sigmoid(x))))


def shared_network():
    """Layers called twice, one of them on its own result, and a network called twice."""
    source = layers.Input((SIZE, SIZE, 3))
    relu, convolution = layers.ReLU(), layers.Conv2D(3, 3, padding="same")
    inner_source = layers.Input((SIZE, SIZE, 3))
    norm = tfa.layers.InstanceNormalization()
    inner = tf.keras.Model(inner_source, norm(layers.Conv2D(3, 3, padding="same")(inner_source)), name="inner")
    x = relu(convolution(relu(convolution(source))))
    return tf.keras.Model(source, layers.Conv2D(3, 1)(layers.Concatenate()([inner(inner(x)), x, source])))


def variants_network():
    """Layers and activations in the other ways that Keras 2 has of writing them."""
    source = layers.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(4, 3, padding="same", activation=layers.LeakyReLU(0.1))(source)
    x = layers.SeparableConv2D(5, 3, padding="same", depth_multiplier=2, activation="relu")(x)
    x = layers.SeparableConv2D(4, (5, 3), strides=2, use_bias=False)(layers.ZeroPadding2D((3, 1))(x))
    x = layers.UpSampling2D(2, interpolation="bilinear")(layers.ReLU(6.0, 0.1, 0.2)(x))
    x = layers.Activation(layers.LeakyReLU(0.05))(layers.Cropping2D(((1, 1), (0, 0)))(x))
    x = layers.Conv2D(4, 3, activation=tf.nn.leaky_relu)(layers.ZeroPadding2D(1)(x))
    x = layers.LeakyReLU(alpha=0.4)(layers.ReLU(threshold=0.1)(layers.UpSampling2D(1)(x)))
    x = layers.Conv2DTranspose(3, 3, padding="same", activation=layers.ReLU(negative_slope=0.3))(x)
    return tf.keras.Model(source, x)


def composite(generator):
    """Generator and discriminator as one, as tutorials train them."""
    source, target = layers.Input((SIZE, SIZE, 3)), layers.Input((SIZE, SIZE, 3))
    logits = layers.Conv2D(1, 4, strides=2, padding="same")(layers.Concatenate()([source, target]))
    discriminator = tf.keras.Model([source, target], layers.Dense(1)(layers.Flatten()(logits)), name="judge")
    generated = generator(source)
    return tf.keras.Model(source, [discriminator([source, generated]), generated])


def fill(network, rng):
    for variable in network.variables:
        values = rng.normal(
            0, 0.25 if len(variable.shape) == 1 else np.prod(variable.shape[:-1]) ** -0.5, variable.shape
        )
        if "gamma" in variable.name:
            values += 1
        if "variance" in variable.name:
            values = values**2 + 0.5
        variable.assign(values)


def save(folder, name, network, rng, size=SIZE, training=False, saved=None):
    fill(network, rng)
    source = rng.uniform(-1, 1, (1, size, size, 3)).astype("float32")
    (saved or network).save(folder / f"{name}.h5")
    network.save_weights(folder / f"{name}_weights.h5")
    np.savez(folder / f"{name}.npz", source=source, generated=network(source, training=training).numpy())


def main(folder):
    rng = np.random.default_rng(0)
    instance = tfa.layers.InstanceNormalization
    save(folder, "flat", flat_unet(instance), rng)
    save(folder, "resizing", resizing_unet(lambda: instance(epsilon=1e-5)), rng)
    save(folder, "blocks", block_unet(instance), rng)
    save(folder, "batch", flat_unet(layers.BatchNormalization), rng)
    save(folder, "groups", flat_unet(lambda: tfa.layers.GroupNormalization(groups=2, center=False)), rng)
    save(folder, "in_training", called_unet(True, True), rng)
    save(folder, "mixed", called_unet(True, False), rng)
    save(folder, "not_in_training", called_unet(False, False), rng)
    save(folder, "residual", residual_network(lambda: instance(scale=False)), rng)
    save(folder, "operations", operations_network(), rng)
    save(folder, "shared", shared_network(), rng)
    save(folder, "variants", variants_network(), rng)
    generator = block_unet(layers.BatchNormalization)
    save(folder, "composite", generator, rng, saved=composite(generator))

    # The tutorial, in the Keras that it was first written for; dropout off, as its picture can't be told otherwise.
    tutorial = block_unet(layers.BatchNormalization, widths=(2, 4, 8, 16, 16, 16, 16, 16), size=256)
    for block in tutorial.layers:
        for layer in getattr(block, "layers", []):
            if isinstance(layer, layers.Dropout):
                layer.rate = 0.0
    save(folder, "tutorial", tutorial, rng, size=256, training=True)
    tutorial.save(folder / "tutorial_saved_model")
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build(tutorial.trainable_variables)
    tf.train.Checkpoint(generator_optimizer=optimizer, generator=tutorial).save(str(folder / "checkpoints" / "ckpt"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
