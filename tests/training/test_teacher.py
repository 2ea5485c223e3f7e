"""Distillation: what the teacher adds to the loss, and what it is kept out of."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import Pix2Pix, patchgan_discriminator, unet_generator


def generator(filters=2, shape=(32, 32, 3), target_channels=3):
    return unet_generator(shape, target_channels, filters=filters, num_downsamples=3, dropout=0)


def student():
    return Pix2Pix(generator(), patchgan_discriminator((32, 32, 3), filters=2, num_layers=1))


def weights_of(model):
    return [np.array(weight) for weight in model.get_weights()]


@pytest.mark.parametrize(("lambda_teacher", "weight"), [(None, 7.0), (3.0, 3.0)])
def test_the_teachers_term_by_hand(lambda_teacher, weight, images):
    source, target = images(2)
    teacher, model = generator(4), student()
    model.compile(lambda_l1=7.0, lambda_teacher=lambda_teacher, teacher=teacher, run_eagerly=True)
    logs = model.test_on_batch(source, target, return_dict=True)
    distance = np.mean(np.abs(teacher(source) - model.generator(source)))
    assert logs["g_teacher"] == pytest.approx(distance, rel=1e-5)
    assert logs["g_loss"] == pytest.approx(logs["g_gan"] + 7 * logs["g_l1"] + weight * distance, rel=1e-5)


def test_the_student_learns_from_it_and_it_stays_as_it_is(images):
    source, target = images(1)
    teacher, taught, alone = generator(4), student(), student()
    alone.set_weights(taught.get_weights())
    before = weights_of(teacher)
    taught.compile(teacher=teacher, lambda_teacher=1000.0)
    alone.compile()
    for model in (taught, alone):
        model.train_on_batch(source, target)
    for old, new in zip(before, weights_of(teacher), strict=True):
        np.testing.assert_array_equal(old, new)
    changed = [
        not np.array_equal(one, other)
        for one, other in zip(taught.generator.get_weights(), alone.generator.get_weights(), strict=True)
    ]
    assert any(changed)


def test_it_is_not_saved_and_asked_for_when_training_continues(images, tmp_path):
    source, target = images(1)
    teacher, model = Pix2Pix(generator(4)), student()
    model.compile()
    model.save(tmp_path / "alone.keras")
    model.compile(teacher=teacher)
    assert not any(weight is each for weight in model.weights for each in teacher.weights)
    model.train_on_batch(source, target)
    model.save(tmp_path / "taught.keras")
    assert (tmp_path / "taught.keras").stat().st_size < 1.2 * (tmp_path / "alone.keras").stat().st_size + 100_000
    loaded = keras.saving.load_model(tmp_path / "taught.keras")
    np.testing.assert_array_equal(loaded.translate(np.zeros((32, 32, 3), "uint8")).shape, (32, 32, 3))
    assert "g_teacher" not in loaded.test_on_batch(source, target, return_dict=True)
    with pytest.raises(ValueError, match="set_teacher"):
        loaded.train_on_batch(source, target)
    with pytest.raises(ValueError, match="set_teacher"):
        loaded.fit(source, target, verbose=0)
    loaded.set_teacher(teacher)
    logs = [each.train_on_batch(source, target, return_dict=True) for each in (loaded, model)]
    assert logs[0] == logs[1]
    assert logs[0]["g_teacher"] > 0
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_two_replicas_are_taught_like_one(images, mirrored):
    source, target = images(2)
    teacher, alone = generator(4), student()
    alone.compile(teacher=teacher)
    with mirrored.scope():
        shared = student()
        shared.compile(teacher=teacher)
    shared.set_weights(alone.get_weights())
    logs = [each.train_on_batch(source, target, return_dict=True) for each in (alone, shared)]
    assert logs[1]["g_teacher"] == pytest.approx(logs[0]["g_teacher"], rel=1e-5)
    assert logs[1]["g_loss"] == pytest.approx(logs[0]["g_loss"], rel=1e-5)


def test_nothing_is_learned_where_the_target_has_no_class():
    model = Pix2Pix(generator(target_channels=2), target_encoding="classes:2:ignore=255")
    model.compile(lambda_gan=0.0, teacher=generator(4, target_channels=2), run_eagerly=True)
    nowhere = model.target_encoding.to_target(np.full((1, 32, 32, 1), 255, "uint8"))
    logs = model.test_on_batch(tf.zeros((1, 32, 32, 3)), nowhere, return_dict=True)
    assert logs["g_teacher"] == 0


@pytest.mark.parametrize(
    ("teacher", "words"),
    [
        (lambda: generator(shape=(64, 64, 3)), "size"),
        (lambda: generator(target_channels=1), "channels"),
        (lambda: Pix2Pix(generator(), source_encoding="values:3:0:1"), "source_encoding"),
        (lambda: "run", "str"),
    ],
)
def test_a_teacher_that_does_not_suit_is_refused(teacher, words):
    with pytest.raises(ValueError, match=words):
        student().compile(teacher=teacher())


def test_a_weight_below_0_is_refused():
    with pytest.raises(ValueError, match="lambda_teacher"):
        student().compile(lambda_teacher=-1.0)
