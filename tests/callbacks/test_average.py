"""The average of the generator's weights: equal to a plain recursion, in its file, and after a restart."""

import keras
import numpy as np
import pytest

from keras_pix2pix import callbacks


class Weights(keras.callbacks.Callback):
    """The generator's weights before training and after every step."""

    def on_train_begin(self, logs=None):
        self.steps = [self.weights()]

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(self.weights())

    def weights(self):
        return [each.numpy() for each in self.model.generator.trainable_variables]


def recursion(steps, decay):
    average = steps[0]
    for weights in steps[1:]:
        average = [decay * old + (1 - decay) * new for old, new in zip(average, weights, strict=True)]
    return average


def assert_average(weights, steps, decay):
    for ours, theirs in zip(weights, recursion(steps, decay), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("decay", [0.5, 0.9])
def test_it_is_the_recursion_over_steps_and_epochs(make_model, images, tmp_path, decay):
    source, target = images(3)
    model, weights = make_model(direction="BtoA"), Weights()
    model.compile(keras.optimizers.SGD(0.1))
    average = callbacks.ExponentialMovingAverage(tmp_path / "average.keras", decay)
    history = model.fit(source, target, batch_size=1, epochs=2, verbose=0, callbacks=[weights, average]).history
    assert len(weights.steps) == 7
    assert_average([np.asarray(each) for each in model.training_state.average], weights.steps, decay)
    saved = keras.saving.load_model(tmp_path / "average.keras")
    assert_average([each.numpy() for each in saved.generator.trainable_variables], weights.steps, decay)
    assert (saved.direction, saved.discriminator) == ("BtoA", None)
    np.testing.assert_array_equal(model.averaged().predict(source, verbose=0), saved.predict(source, verbose=0))
    keras.utils.set_random_seed(0)
    plain = make_model()
    plain.compile(keras.optimizers.SGD(0.1))
    keras_history = plain.fit(source, target, batch_size=1, epochs=2, verbose=0).history
    assert history.keys() == keras_history.keys()


def test_steps_that_are_executed_together_count_with_their_last_weights(make_model, images, tmp_path):
    source, target = images(5)
    model, weights = make_model(), Weights()
    model.compile(keras.optimizers.SGD(0.1), steps_per_execution=2)
    average = callbacks.ExponentialMovingAverage(tmp_path / "average.keras", 0.5)
    model.fit(source, target, batch_size=1, epochs=1, verbose=0, callbacks=[weights, average])
    start, two, four, five = weights.steps
    assert_average(
        [np.asarray(each) for each in model.training_state.average], [start, two, two, four, four, five], 0.5
    )


def test_a_resumed_run_has_the_same_average(make_model, images, tmp_path):
    source, target = images(2)
    averages = []
    for name, stops in (("whole", (3,)), ("parts", (1, 3))):
        keras.utils.set_random_seed(0)
        model, done = make_model(), 0
        model.compile()
        for epochs in stops:
            watch = [
                callbacks.ExponentialMovingAverage(tmp_path / f"{name}_average.keras", 0.7),
                callbacks.Checkpoint(tmp_path / f"{name}.keras"),
            ]
            data = {"batch_size": 1, "shuffle": False, "verbose": 0}
            model.fit(source, target, epochs=epochs, initial_epoch=done, callbacks=watch, **data)
            model, done = keras.saving.load_model(tmp_path / f"{name}.keras"), epochs
        averages.append([np.asarray(each) for each in model.training_state.average])
    for ours, theirs in zip(*averages, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_it_works_on_two_replicas(make_model, images, mirrored, tmp_path):
    source, target = images(4)
    with mirrored.scope():
        model = make_model()
        model.compile(keras.optimizers.SGD(0.1))
    weights = Weights()
    average = callbacks.ExponentialMovingAverage(tmp_path / "average.keras", 0.5)
    model.fit(source, target, batch_size=2, epochs=1, verbose=0, callbacks=[weights, average])
    saved = keras.saving.load_model(tmp_path / "average.keras")
    assert_average([each.numpy() for each in saved.generator.trainable_variables], weights.steps, 0.5)


def test_batch_norms_statistics_are_the_trained_generators(make_model, images, tmp_path):
    source, target = images(2)
    model = make_model(normalization="batch")
    model.compile()
    average = callbacks.ExponentialMovingAverage(tmp_path / "average.keras")
    model.fit(source, target, batch_size=2, epochs=1, verbose=0, callbacks=[average])
    saved = keras.saving.load_model(tmp_path / "average.keras").generator
    for ours, theirs in zip(saved.non_trainable_variables, model.generator.non_trainable_variables, strict=True):
        if "moving" in ours.path:
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("path", "decay", "words"),
    [
        ("average.h5", 0.9, "must end in .keras. Received: path='average.h5'"),
        ("average.keras", 1.0, "above 0 and below 1. Received: decay=1.0"),
        ("average.keras", 0.0, "above 0 and below 1. Received: decay=0.0"),
    ],
)
def test_what_it_refuses(path, decay, words):
    with pytest.raises(ValueError, match=words):
        callbacks.ExponentialMovingAverage(path, decay)


def test_without_the_callback_there_is_no_average(make_model):
    with pytest.raises(ValueError, match="Train with `callbacks.ExponentialMovingAverage`"):
        make_model().averaged()
