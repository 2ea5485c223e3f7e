"""Learning-rate schedules of the published recipes. Optimizers hold and save them."""

import keras
from keras import ops

from keras_pix2pix.training.presets import SCHEDULES

__all__ = ["ConstantThenLinear", "learning_rate_schedule"]


@keras.saving.register_keras_serializable("keras_pix2pix")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """Constant at first, then falling by the same amount after each epoch, to 0 after the last.

    Reference:
        Zhu, Isola et al., "CycleGAN and pix2pix in PyTorch": `lr_policy` "linear".
    """

    def __init__(
        self, initial_learning_rate: float, constant_epochs: int, decay_epochs: int, steps_per_epoch: int
    ) -> None:
        if min(constant_epochs, decay_epochs) < 0 or steps_per_epoch < 1:
            raise ValueError(
                "`constant_epochs` and `decay_epochs` must be 0 or more, `steps_per_epoch` 1 or more. Received: "
                f"constant_epochs={constant_epochs}, decay_epochs={decay_epochs}, steps_per_epoch={steps_per_epoch}."
            )
        self.initial_learning_rate = initial_learning_rate
        self.constant_epochs = constant_epochs
        self.decay_epochs = decay_epochs
        self.steps_per_epoch = steps_per_epoch

    def __call__(self, step):
        epoch = ops.cast(ops.cast(step, "int64") // self.steps_per_epoch, "float32")
        falling = ops.maximum(0.0, epoch + 1.0 - self.constant_epochs)
        return self.initial_learning_rate * ops.maximum(0.0, 1.0 - falling / (self.decay_epochs + 1))

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "constant_epochs": self.constant_epochs,
            "decay_epochs": self.decay_epochs,
            "steps_per_epoch": self.steps_per_epoch,
        }


def learning_rate_schedule(
    schedule: str,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    *,
    epochs: int,
    steps_per_epoch: int | None,
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """A schedule by its name, for an optimizer's `learning_rate`.

    Reference:
        Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", for "cosine".
    """
    if schedule not in SCHEDULES:
        raise ValueError(
            f"`schedule` must be one of {', '.join(map(repr, SCHEDULES))}. Received: schedule={schedule!r}."
        )
    if schedule == "constant":
        return learning_rate
    if steps_per_epoch is None:
        raise ValueError(
            f"The learning rate of this recipe changes over {epochs} epochs ({schedule}), so the length of an epoch is "
            'needed. Pass `steps_per_epoch=len(dataset)`, or `schedule="constant"`.'
        )
    if schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(learning_rate, decay_steps=epochs * steps_per_epoch)
    constant_epochs = epochs - epochs // 2
    return ConstantThenLinear(learning_rate, constant_epochs, epochs // 2, steps_per_epoch)
