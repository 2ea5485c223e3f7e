"""Runs that are stopped anywhere and go on as if nothing had happened; files that survive a full disk."""

import contextlib
import errno
import io
import resource
import signal
import zipfile

import h5py
import keras
import numpy as np
import pytest
from tensorflow.python.framework import config as framework_config

from keras_pix2pix import Pix2Pix, callbacks, paired_dataset, patchgan_discriminator, unet_generator
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.training.training_state import metric_states, set_metric_states

SIZE = 16


class Killed(Exception):
    pass


class Kill(keras.callbacks.Callback):
    """Stops training behind the callbacks before it, after so many steps of this process."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= self.model.steps_per_execution
        if self.left <= 0:
            raise Killed


@pytest.fixture
def deterministic():
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    yield
    framework_config.disable_op_determinism()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pairs")
    write_facades(directory, 5, image_size=(SIZE, SIZE))
    return directory


@pytest.fixture
def begin():
    """A function that makes a new model with everything that has a state."""

    def new_model(**recipe):
        keras.utils.set_random_seed(3)
        shape, options = (SIZE, SIZE, 3), {"filters": 2, "normalization": "batch"}
        model = Pix2Pix(
            unet_generator(shape, num_downsamples=3, **options), patchgan_discriminator(shape, num_layers=1, **options)
        )
        rates = [keras.optimizers.schedules.ExponentialDecay(1e-3, 2, 0.9) for _ in range(2)]
        model.compile(
            *(keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates),
            metrics=["mae", keras.metrics.MeanSquaredError(name="mse")],
            **recipe,
        )
        return model

    return new_model


def start(
    path,
    pairs,
    begin,
    *,
    steps=5,
    epochs=3,
    batch_size=1,
    every_steps=None,
    kill_after=None,
    validated=False,
    scope=contextlib.nullcontext,
    **recipe,
):
    """What a user's program does whenever it is started; (model, history)."""
    with scope():
        model = keras.saving.load_model(path) if path.exists() else begin(**recipe)
    epoch, step = callbacks.resume_point(model)
    options = {"image_size": SIZE, "seed": 4}
    validation = paired_dataset(pairs, training=False, batch_size=2, **options) if validated else None
    history = model.fit(
        paired_dataset(pairs, repeat=True, initial_step=step, batch_size=batch_size, **options),
        steps_per_epoch=steps,
        epochs=epochs,
        initial_epoch=epoch,
        validation_data=validation,
        verbose=0,
        shuffle=False,
        callbacks=[
            callbacks.SampleGrid(path.parent / "samples", next(iter(paired_dataset(pairs, **options))), count=1),
            callbacks.Checkpoint(path, every_steps=every_steps),
            *([Kill(kill_after)] if kill_after else []),
        ],
    )
    return model, history.history


def state_of(model):
    optimizers = model.generator_optimizer, model.discriminator_optimizer
    return [*model.get_weights(), *(np.asarray(each) for optimizer in optimizers for each in optimizer.variables)]


def assert_equal(model, other):
    for ours, theirs in zip(state_of(model), state_of(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "options",
    [
        {"every_steps": 2, "steps_per_execution": 2, "validated": True},  # Keras makes an epoch of 6 steps out of 5.
        pytest.param({"every_steps": 1}, marks=pytest.mark.slow),
        pytest.param({"every_steps": 3, "validated": True}, marks=pytest.mark.slow),
        pytest.param({"every_steps": 2, "steps": 3}, marks=pytest.mark.slow),  # Epochs that are not those of the data.
        pytest.param({}, marks=pytest.mark.slow),
    ],
    ids=["several steps an execution", "each step", "validation", "own epochs", "epochs only"],
)
def test_a_run_killed_anywhere_ends_like_the_uninterrupted_one(options, begin, pairs, tmp_path, deterministic):
    whole, history = start(tmp_path / "whole" / "model.keras", pairs, begin, **options)
    path = tmp_path / "parts" / "model.keras"
    for kill_after in (4, 6):
        with pytest.raises(Killed):
            start(path, pairs, begin, kill_after=kill_after, **options)
    parts, history_of_the_rest = start(path, pairs, begin, **options)
    assert_equal(whole, parts)
    assert_equal(whole, keras.saving.load_model(path))
    for name, values in history_of_the_rest.items():
        assert values == history[name][-len(values) :], name
    for picture in (tmp_path / "whole" / "samples").iterdir():
        assert picture.read_bytes() == (tmp_path / "parts" / "samples" / picture.name).read_bytes(), picture.name


@pytest.mark.slow
def test_two_replicas_go_on_exactly_too(begin, pairs, tmp_path, mirrored, deterministic):
    options = {"scope": mirrored.scope, "batch_size": 2, "steps": 4, "epochs": 2, "every_steps": 1, "validated": True}
    whole, history = start(tmp_path / "whole" / "model.keras", pairs, begin, **options)
    path = tmp_path / "parts" / "model.keras"
    with pytest.raises(Killed):
        start(path, pairs, begin, kill_after=3, **options)
    parts, history_of_the_rest = start(path, pairs, begin, **options)
    assert_equal(whole, parts)
    assert history_of_the_rest == history


def test_the_checkpoint_is_there_before_the_first_step_and_at_its_steps(begin, pairs, tmp_path):
    path = tmp_path / "model.keras"
    points = []

    class Look(keras.callbacks.Callback):
        def look(self, *_, **__):
            with zipfile.ZipFile(path) as archive:
                points.append(h5py.File(io.BytesIO(archive.read("model.weights.h5")))["vars/progress"][:].tolist())

        on_epoch_begin = on_train_batch_end = on_epoch_end = look

    begin().fit(
        paired_dataset(pairs, image_size=SIZE),
        epochs=3,
        initial_epoch=1,
        verbose=0,
        shuffle=False,
        callbacks=[callbacks.Checkpoint(path, every_steps=2), Look()],
    )
    # (whole epochs, steps of the next, steps in all)
    first = [[1, 0, 0], [1, 0, 0], [1, 2, 2], [1, 2, 2], [1, 4, 4], [1, 4, 4], [2, 0, 5]]
    second = [[2, 0, 5], [2, 0, 5], [2, 2, 7], [2, 2, 7], [2, 4, 9], [2, 4, 9], [3, 0, 10]]
    assert points == first + second


def test_an_epoch_that_was_not_begun_before_is_a_whole_one(begin, pairs, tmp_path):
    path = tmp_path / "model.keras"
    with pytest.raises(Killed):
        start(path, pairs, begin, every_steps=2, kill_after=2)
    model = keras.saving.load_model(path)
    before = int(model.generator_optimizer.iterations)
    options = {"verbose": 0, "shuffle": False, "callbacks": [callbacks.Checkpoint(path)]}
    model.fit(paired_dataset(pairs, image_size=SIZE), initial_epoch=7, epochs=8, **options)
    assert int(model.generator_optimizer.iterations) == before + 5


def test_other_callbacks_still_end_the_training_where_an_epoch_is_cut_short(begin, pairs, tmp_path):
    path = tmp_path / "model.keras"
    with pytest.raises(Killed):
        start(path, pairs, begin, every_steps=2, kill_after=2)
    model = keras.saving.load_model(path)
    epoch, step = callbacks.resume_point(model)

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    for order in (1, -1):
        model = keras.saving.load_model(path)
        history = model.fit(
            paired_dataset(pairs, image_size=SIZE, repeat=True, initial_step=step),
            steps_per_epoch=5,
            initial_epoch=epoch,
            epochs=4,
            verbose=0,
            shuffle=False,
            callbacks=[Stop(), callbacks.Checkpoint(tmp_path / f"{order}.keras")][::order],
        )
        assert history.epoch == [0]


def test_a_model_that_no_checkpoint_wrote_begins_anew(begin, tmp_path):
    model = begin()
    assert callbacks.resume_point(model) == (0, 0)
    model.save(tmp_path / "model.keras")
    assert callbacks.resume_point(keras.saving.load_model(tmp_path / "model.keras")) == (0, 0)


def test_asked_to_stop_it_saves_the_step_under_way(begin, pairs, tmp_path):
    path = tmp_path / "model.keras"
    checkpoint = callbacks.Checkpoint(path)

    class Ask(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 2:
                checkpoint.stop()

    model = begin()
    with pytest.raises(KeyboardInterrupt):
        model.fit(
            paired_dataset(pairs, image_size=SIZE),
            epochs=2,
            verbose=0,
            shuffle=False,
            callbacks=[Ask(), checkpoint],
        )
    again = keras.saving.load_model(path)
    assert callbacks.resume_point(again) == (0, 3)
    assert_equal(model, again)


def test_asked_to_stop_in_the_last_step_it_saves_the_whole_epoch(begin, pairs, tmp_path):
    path = tmp_path / "model.keras"
    checkpoint = callbacks.Checkpoint(path)
    ask = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: batch == 4 and checkpoint.stop())
    with pytest.raises(KeyboardInterrupt):
        begin().fit(
            paired_dataset(pairs, image_size=SIZE), epochs=2, verbose=0, shuffle=False, callbacks=[ask, checkpoint]
        )
    assert callbacks.resume_point(keras.saving.load_model(path)) == (1, 5)


def test_a_disk_that_fills_up_leaves_the_last_checkpoint_whole(begin, pairs, tmp_path):
    path = tmp_path / "model.keras"
    model, options = begin(), {"verbose": 0, "shuffle": False}
    dataset = paired_dataset(pairs, image_size=SIZE)
    model.fit(dataset, callbacks=[callbacks.Checkpoint(path)], **options)
    whole = path.read_bytes()
    # A quota: no file may grow beyond it. What exceeds it gets an error in the place of a signal.
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) // 2, limits[1]))
    try:
        with pytest.raises(OSError, match="could not be written: File too large.*previous checkpoint is complete"):
            model.fit(dataset, initial_epoch=1, epochs=2, callbacks=[callbacks.Checkpoint(path)], **options)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == whole
    assert callbacks.resume_point(keras.saving.load_model(path)) == (1, 5)
    assert [each.name for each in tmp_path.iterdir()] == ["model.keras"]


def test_a_full_disk_in_the_middle_of_an_epoch_says_so(begin, pairs, tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    model = begin()
    save = model.save

    def full_after_the_first(temporary):
        if path.exists():
            temporary.write_bytes(b"half a file")
            raise OSError(errno.ENOSPC, "No space left on device", str(temporary))
        save(temporary)

    monkeypatch.setattr(model, "save", full_after_the_first)
    with pytest.raises(OSError, match="No space left on device. The previous checkpoint is complete") as raised:
        model.fit(
            paired_dataset(pairs, image_size=SIZE), verbose=0, callbacks=[callbacks.Checkpoint(path, every_steps=2)]
        )
    assert raised.value.errno == errno.ENOSPC
    assert callbacks.resume_point(keras.saving.load_model(path)) == (0, 0)


def test_what_a_killed_process_left_half_written_is_taken_out(begin, pairs, tmp_path):
    (tmp_path / ".model.keras.abc.keras_pix2pix_partial").mkdir()
    (tmp_path / ".model.keras.abc.keras_pix2pix_partial" / "model.keras").write_bytes(b"half")
    start(tmp_path / "model.keras", pairs, begin, epochs=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.keras", "samples"]


def test_a_checkpoint_needs_keras_ending():
    with pytest.raises(ValueError, match="end in .keras. Received: path='model.h5'"):
        callbacks.Checkpoint("model.h5")


@pytest.mark.parametrize("every_steps", [0, -1, 1.5, "epoch"])
def test_steps_between_checkpoints_are_counted_from_one(every_steps):
    with pytest.raises(ValueError, match="`every_steps` must be an integer of 1 or more, or None. Received: every"):
        callbacks.Checkpoint("model.keras", every_steps=every_steps)


def test_the_sums_of_the_replicas_are_kept_apart_and_fit_another_number_of_them(make_model, mirrored):
    with mirrored.scope():
        together = make_model(filters=2)
        together.compile()
    together_states = tuple(
        np.array([index, index + 0.5], "float32") for index, _ in enumerate(metric_states(together))
    )
    set_metric_states(together, together_states)
    for ours, theirs in zip(metric_states(together), together_states, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    alone = make_model(filters=2)
    alone.compile()
    set_metric_states(alone, together_states)
    assert [state.tolist() for state in metric_states(alone)] == [[state.sum()] for state in together_states]
    set_metric_states(together, metric_states(alone))
    assert [state.tolist() for state in metric_states(together)] == [[state.sum(), 0] for state in together_states]


def test_sums_of_other_metrics_are_refused(begin, make_model):
    other = make_model(filters=2)
    other.compile()
    with pytest.raises(ValueError, match="with metrics other than the model has now. Compile it as before"):
        set_metric_states(other, metric_states(begin()))


# Keras' own callbacks


def test_backup_and_restore_goes_on_exactly_from_the_end_of_an_epoch(begin, pairs, tmp_path, deterministic):
    def fit(model, epoch, *more):
        dataset = paired_dataset(pairs, image_size=SIZE, initial_epoch=epoch)
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
        return model.fit(dataset, epochs=3, verbose=0, shuffle=False, callbacks=[backup, *more]).history

    whole = begin()
    history = whole.fit(paired_dataset(pairs, image_size=SIZE), epochs=3, verbose=0, shuffle=False).history
    with pytest.raises(Killed):
        fit(begin(), 0, Kill(8))
    again = begin()
    # It restores nothing before `fit`: the epoch that the data begin with is in its second file.
    assert (tmp_path / "backup" / "training_metadata.json").read_text() == '{"epoch": 1, "batch": 0}'
    history_of_the_rest = fit(again, 1)
    assert_equal(whole, again)
    for name, values in history_of_the_rest.items():
        assert values == history[name][1:], name


@pytest.mark.parametrize("weights_only", [False, True])
def test_model_checkpoint_goes_on_exactly_from_the_end_of_an_epoch(weights_only, begin, pairs, tmp_path, deterministic):
    path = tmp_path / ("{epoch}.weights.h5" if weights_only else "{epoch}.keras")
    keep = keras.callbacks.ModelCheckpoint(path, save_weights_only=weights_only)
    whole = begin()
    options = {"epochs": 3, "verbose": 0, "shuffle": False}
    history = whole.fit(paired_dataset(pairs, image_size=SIZE), callbacks=[keep], **options).history
    file = str(path).format(epoch=2)
    if weights_only:
        again = begin()
        again.load_weights(file)
    else:
        again = keras.saving.load_model(file)
    dataset = paired_dataset(pairs, image_size=SIZE, initial_epoch=2)
    history_of_the_rest = again.fit(dataset, initial_epoch=2, **options).history
    assert_equal(whole, again)
    for name, values in history_of_the_rest.items():
        assert values == history[name][2:], name


@pytest.mark.parametrize("weights_only", [False, True])
def test_the_loss_scale_goes_on(weights_only, make_model, images, tmp_path):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model, again = make_model(filters=2), make_model(filters=2)
    finally:
        keras.config.set_dtype_policy(policy)
    for each in (model, again):
        each.compile()
    for optimizer, scale in ((model.generator_optimizer, 8.0), (model.discriminator_optimizer, 4.0)):
        optimizer.dynamic_scale.assign(scale)
        optimizer.step_counter.assign(3)
    if weights_only:
        model.save_weights(tmp_path / "model.weights.h5")
        again.load_weights(tmp_path / "model.weights.h5")
    else:
        model.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras")
    for optimizer, scale in ((again.generator_optimizer, 8.0), (again.discriminator_optimizer, 4.0)):
        assert float(optimizer.dynamic_scale) == scale
        assert int(optimizer.step_counter) == 3
