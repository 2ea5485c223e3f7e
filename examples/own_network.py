"""Bring your own network: any functional Keras model from images to images of the same size is a generator."""

import argparse

import keras
from keras import layers

from keras_pix2pix import Pix2Pix, export_tflite, paired_dataset, patchgan_discriminator


def small_generator(image_shape, filters=16, blocks=3):
    """Two halvings, a few residual blocks, two doublings without transposed convolutions."""
    source = keras.Input(image_shape, name="source")
    x = source
    for width in (filters, 2 * filters):
        x = layers.Conv2D(width, 4, strides=2, padding="same", activation="relu")(x)
    for _ in range(blocks):
        residual = layers.Conv2D(2 * filters, 3, padding="same", use_bias=False)(x)
        x = layers.Add()([x, layers.ReLU()(layers.GroupNormalization(groups=-1)(residual))])
    for width in (filters, filters):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(layers.UpSampling2D(interpolation="bilinear")(x))
    return keras.Model(source, layers.Conv2D(3, 3, padding="same", activation="tanh")(x))


def main(arguments=None):
    """Train it against a PatchGAN of 34x34 patches, with least squares, and take it to a phone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs")
    parser.add_argument("--output", default="own.tflite")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args(arguments)
    image_shape = (options.size, options.size, 3)

    model = Pix2Pix(small_generator(image_shape), patchgan_discriminator(image_shape, filters=32, num_layers=2))
    model.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), gan_loss="lsgan", lambda_l1=50.0)
    model.fit(paired_dataset(options.pairs, image_size=image_shape[:2]), epochs=options.epochs, shuffle=False)
    print(export_tflite(model, options.output, quantization="float16"))


if __name__ == "__main__":
    main()
