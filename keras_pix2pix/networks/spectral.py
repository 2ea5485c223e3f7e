"""Spectral normalisation of a convolution."""

import keras
from keras import layers, ops

__all__ = ["SpectralConv2D"]


@keras.saving.register_keras_serializable("keras_pix2pix")
class SpectralConv2D(layers.Conv2D):
    """`keras.layers.Conv2D` whose kernel is divided by its largest singular value.

    The value is estimated by one step of power iteration in each training pass, and the gradient flows through the
    division. (`keras.layers.SpectralNormalization` overwrites the kernel itself, which works
    against the optimizer.) All arguments are those of `keras.layers.Conv2D`.

    Reference:
        Miyato et al., "Spectral Normalization for Generative Adversarial Networks", Algorithm 1.
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.left = self.add_weight(
            shape=(self.filters,),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
            trainable=False,
            aggregation="only_first_replica",
            name="left",
        )

    def call(self, inputs, training=None):
        matrix = ops.reshape(self.kernel, (-1, self.filters))
        left = ops.cast(self.left, matrix.dtype)
        right = _unit(ops.matmul(ops.stop_gradient(matrix), left))
        if training:
            left = _unit(ops.matmul(right, ops.stop_gradient(matrix)))
            self.left.assign(ops.cast(left, self.left.dtype))
        else:
            left = _unit(left)
        largest_value = ops.sum(right * ops.matmul(matrix, left))
        outputs = self.convolution_op(inputs, self.kernel / largest_value)
        return self.activation(outputs + self.bias if self.use_bias else outputs)

    def save_own_variables(self, store):
        # Conv2D saves only its kernel and bias.
        for index, variable in enumerate(self._stored_variables()):
            store[str(index)] = variable

    def load_own_variables(self, store):
        for index, variable in enumerate(self._stored_variables()):
            variable.assign(store[str(index)])

    def _stored_variables(self):
        return [self.kernel, *([self.bias] if self.use_bias else []), self.left]


def _unit(vector):
    return vector / (ops.norm(vector) + 1e-12)
