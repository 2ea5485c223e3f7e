"""A trained generator from whose pictures another one learns (distillation)."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_pix2pix.inference.serving import generator_of
from keras_pix2pix.training.matrix_products import fastest_form

__all__ = ["Teacher"]


class Teacher:
    """A generator that is neither trained nor saved with the model that it teaches.

    Not a Keras object, because Keras would save it as a part of that model.
    """

    def __init__(self, model: keras.Model, student: Any) -> None:
        self.model = model
        self.generator = generator_of(model)
        _check_shapes(self.generator, student.generator)
        _check_encodings(model, student)

    def __call__(self, source: tf.Tensor) -> tf.Tensor:
        """Its pictures, `(batch, height, width, channels)`, without dropout and without gradients."""
        generated = fastest_form(self.generator)(source, training=False)
        return ops.stop_gradient(ops.cast(generated, keras.config.floatx()))


def _check_shapes(teacher, student):
    for side, theirs, ours in (
        ("sources", teacher.input_shape, student.input_shape),
        ("targets", teacher.output_shape, student.output_shape),
    ):
        if any(None not in (one, other) and one != other for one, other in zip(theirs[1:], ours[1:], strict=True)):
            raise ValueError(
                f"`teacher` must take and return images of the model's own size and channels. Received: {side} of "
                f"{theirs[1:]}; the model has {ours[1:]}. Train the teacher at that size, or pass another one."
            )


def _check_encodings(teacher, student):
    for side in ("source_encoding", "target_encoding"):
        theirs, ours = getattr(teacher, side, None), getattr(student, side)
        if theirs is not None and theirs.word != ours.word:
            raise ValueError(
                f"`teacher` must have the model's encodings. Received: its {side} is {theirs.word!r}; the model's is "
                f"{ours.word!r}. Pass a teacher trained on the same kind of files."
            )
