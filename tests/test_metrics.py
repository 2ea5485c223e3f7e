"""PSNR and SSIM beside scikit-image's."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from keras_pix2pix import metrics
from keras_pix2pix.images import to_image

GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def pair_of_pixels(shape, noise=20, seed=0):
    """Something smooth, and the same with noise: uint8."""
    rng = np.random.default_rng(seed)
    rows, columns = np.ogrid[: shape[1], : shape[2]]
    smooth = 128 + 60 * np.sin(rows / 5) + 60 * np.cos(columns / 9)
    target = np.broadcast_to(smooth[None, ..., None], shape) + rng.integers(-5, 6, (shape[0], 1, 1, shape[3]))
    return [np.clip(each, 0, 255).astype("uint8") for each in (target, target + rng.normal(0, noise, shape))]


SHAPES = [(2, 64, 64, 3), (1, 32, 80, 3), (3, 57, 33, 1), (1, 11, 11, 3), (1, 11, 40, 1), (2, 24, 24, 4)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("noise", [1, 20, 100])
def test_pixels_have_the_values_of_scikit_image(shape, noise):
    target, generated = pair_of_pixels(shape, noise)
    images = to_image(target), to_image(generated)
    expected_psnr = [peak_signal_noise_ratio(*pair, data_range=255) for pair in zip(target, generated, strict=True)]
    expected_ssim = [
        structural_similarity(*pair, data_range=255, channel_axis=-1, **GAUSSIAN)
        for pair in zip(target, generated, strict=True)
    ]
    np.testing.assert_allclose(metrics.psnr(*images), expected_psnr, atol=1e-4)
    np.testing.assert_allclose(metrics.ssim(*images), expected_ssim, atol=1e-4)
    for metric, expected in ((metrics.PSNR(), expected_psnr), (metrics.SSIM(), expected_ssim)):
        metric.update_state(*images)
        assert float(metric.result()) == pytest.approx(np.mean(expected), abs=1e-4)


def test_images_that_are_no_pixels_have_the_values_of_scikit_image_too(images):
    target, generated = images(2)
    expected = [
        structural_similarity((x + 1) / 2, (y + 1) / 2, data_range=1, channel_axis=-1, **GAUSSIAN)
        for x, y in zip(target.astype("float64"), generated.astype("float64"), strict=True)
    ]
    np.testing.assert_allclose(metrics.ssim(target, generated), expected, atol=1e-4)
    expected = [peak_signal_noise_ratio(x, y, data_range=2) for x, y in zip(target, generated, strict=True)]
    np.testing.assert_allclose(metrics.psnr(target, generated), expected, atol=1e-4)


def test_psnr_by_hand():
    target = np.zeros((2, 4, 4, 1), "float32")
    generated = target.copy()
    generated[1, 0, 0, 0] = 1  # Half the range in one of 16 pixels.
    np.testing.assert_allclose(metrics.psnr(target, generated), [100, 10 * np.log10(16 / 0.25)], rtol=1e-6)


def test_equal_images_leave_the_mean_finite():
    target = np.zeros((2, 16, 16, 3), "float32")
    generated = target.copy()
    generated[1] += 0.2  # A tenth of the range: 20 dB.
    metric = metrics.PSNR()
    metric.update_state(target, generated)
    assert float(metric.result()) == pytest.approx((100 + 20) / 2)
    metric.reset_state()
    metric.update_state(target, target)
    assert float(metric.result()) == 100


@pytest.mark.parametrize(("metric", "function"), [("PSNR", "psnr"), ("SSIM", "ssim")])
def test_the_mean_is_over_images_and_weighted(images, metric, function):
    target, generated = images(3)
    generated[0] = target[0] * 0.9
    values = np.asarray(getattr(metrics, function)(target, generated))
    metric = getattr(metrics, metric)()
    metric.update_state(target, generated, sample_weight=np.array([3.0, 1.0, 0.0]))
    assert float(metric.result()) == pytest.approx((3 * values[0] + values[1]) / 4)
    # Batches of other sizes don't change it.
    metric.reset_state()
    metric.update_state(target[:1], generated[:1])
    metric.update_state(target[1:], generated[1:])
    assert float(metric.result()) == pytest.approx(values.mean())


def test_a_side_below_the_window_is_refused_by_ssim_alone():
    image = np.zeros((1, 10, 64, 3), "float32")
    with pytest.raises(ValueError, match=r"Accepted: images of 11 pixels or more.*Received: .*\(1, 10, 64, 3\)"):
        metrics.SSIM().update_state(image, image)
    metrics.PSNR().update_state(image, image)


@pytest.mark.parametrize("function", ["psnr", "ssim"])
def test_images_of_other_shapes_are_refused(function):
    for other in [(1, 32, 16, 3), (1, 32, 32, 1), (2, 32, 32, 3)]:
        with pytest.raises(ValueError, match=r"of one shape. Received: \(1, 32, 32, 3\) and \("):
            getattr(metrics, function)(np.zeros((1, 32, 32, 3)), np.zeros(other))


@pytest.mark.parametrize("options", [{}, {"jit_compile": True}], ids=["graph", "XLA"])
def test_a_compiled_function_gives_the_same_with_any_size(images, options):
    target, generated = images(2)
    shape = (2, 32, 32, 3) if options else (None, None, None, 3)
    compiled = tf.function(
        lambda *pair: (metrics.psnr(*pair), metrics.ssim(*pair)),
        input_signature=[tf.TensorSpec(shape)] * 2,
        **options,
    )
    for name, values in zip(("psnr", "ssim"), compiled(target, generated), strict=True):
        np.testing.assert_allclose(values, getattr(metrics, name)(target, generated), atol=1e-5)


def both_metrics():
    return [metrics.PSNR(), metrics.SSIM()]


@pytest.mark.parametrize(
    "options",
    [{}, {"run_eagerly": True}, pytest.param({"jit_compile": True}, marks=pytest.mark.slow)],
    ids=["graph", "eager", "XLA"],
)
def test_a_pix2pix_logs_them_by_name(make_model, images, options):
    model = make_model()
    model.compile(metrics=both_metrics(), **options)
    source, target = images(3)
    logs = model.fit(source, target, batch_size=2, verbose=0).history
    assert {"psnr", "ssim"} < logs.keys()
    measured = model.evaluate(source, target, batch_size=2, return_dict=True, verbose=0)
    generated = model.predict(source, verbose=0)
    assert measured["psnr"] == pytest.approx(np.mean(metrics.psnr(target, generated)), abs=1e-3)
    assert measured["ssim"] == pytest.approx(np.mean(metrics.ssim(target, generated)), abs=1e-3)


def test_two_replicas_log_what_one_does(make_model, images, mirrored):
    # The last batch is uneven, and one of its replicas has a pair of weight 0.
    source, target = images(4)
    weights = np.array([1, 1, 1, 0], "float32")
    logs = []
    for scope in (tf.distribute.get_strategy().scope(), mirrored.scope()):
        keras.utils.set_random_seed(0)
        with scope:
            model = make_model()
            model.compile(metrics=both_metrics())
        dataset = tf.data.Dataset.from_tensor_slices((source, target, weights)).batch(2)
        logs.append(model.evaluate(dataset, return_dict=True, verbose=0))
    for name in ("psnr", "ssim"):
        assert logs[1][name] == pytest.approx(logs[0][name], rel=1e-5)


def test_a_saved_model_keeps_them(make_model, images, tmp_path):
    model = make_model()
    model.compile(metrics=both_metrics())
    source, target = images(2)
    expected = model.evaluate(source, target, return_dict=True, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    measured = loaded.evaluate(source, target, return_dict=True, verbose=0)
    assert measured == pytest.approx(expected)
    assert {"psnr", "ssim"} < measured.keys()


def test_a_saved_model_is_loaded_where_nobody_has_asked_for_metrics(make_model, tmp_path):
    model = make_model()
    model.compile(metrics=both_metrics())
    model.save(tmp_path / "model.keras")
    program = (
        "import keras; from keras_pix2pix import Pix2Pix\n"
        f"print([each.name for each in keras.saving.load_model({str(tmp_path / 'model.keras')!r})._recipe['metrics']])"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "['psnr', 'ssim']"


@pytest.mark.parametrize("name", ["PSNR", "SSIM"])
def test_name_and_dtype_are_kept(name):
    metric = getattr(metrics, name)(name="other", dtype="float64")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert (type(again), again.name, again.dtype) == (type(metric), "other", "float64")


def test_half_precision_is_compared_in_float32(images):
    target, generated = (tf.cast(each, "bfloat16") for each in images(1))
    expected = metrics.psnr(tf.cast(target, "float32"), tf.cast(generated, "float32"))
    np.testing.assert_array_equal(metrics.psnr(target, generated), expected)


@pytest.mark.parametrize("metric", ["psnr", "ssim"])
def test_callbacks_know_that_more_is_better(make_model, images, metric, tmp_path):
    model = make_model()
    model.compile(metrics=both_metrics())
    source, target = images(1)
    best = keras.callbacks.EarlyStopping(metric, patience=1)
    model.fit(source, target, verbose=0, callbacks=[best])
    assert best.monitor_op is keras.ops.greater
