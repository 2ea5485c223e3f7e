"""The list of callbacks that fills a run folder."""

import keras
import numpy as np
import pytest

from keras_pix2pix import Pix2Pix, callbacks, load_model, patchgan_discriminator, unet_generator
from keras_pix2pix.metrics import PSNR
from keras_pix2pix.report.history import read_history
from keras_pix2pix.run_folder import RunFolder

IMAGES = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("float32")


def trained(run_dir, model=None, **options):
    if model is None:
        model = Pix2Pix(unet_generator((32, 32, 3), filters=2), patchgan_discriminator((32, 32, 3), filters=2))
        model.compile(metrics=[PSNR()])
    watch = callbacks.for_run(run_dir, (IMAGES, IMAGES), **options)
    start, _ = callbacks.resume_point(model)
    model.fit(IMAGES, IMAGES, batch_size=2, epochs=start + 1, initial_epoch=start, verbose=0, callbacks=watch)
    return RunFolder(run_dir)


def test_a_folder_is_filled_and_continued(tmp_path):
    folder = trained(tmp_path / "new" / "run", average=0.9, monitor="psnr", checkpoint_every=1)
    written = {path for path in vars(folder).values() if path.exists()}
    assert written == {
        *(folder.path, folder.model, folder.best, folder.average, folder.history),
        *(folder.report, folder.samples, folder.logs),
    }
    trained(folder.path, load_model(folder.path), average=0.9, monitor="psnr", resume=True)
    assert read_history(folder.history)["epoch"] == [0, 1]
    trained(folder.path)
    assert read_history(folder.history)["epoch"] == [0]


def test_what_is_not_asked_for_is_not_kept(tmp_path):
    folder = trained(tmp_path)
    assert not folder.best.exists()
    assert not folder.average.exists()


def test_options_reach_their_callbacks(tmp_path):
    watch = callbacks.for_run(
        tmp_path, (IMAGES, IMAGES), batch_size=3, monitor="val_psnr", patience=5, average=0.5, checkpoint_every=7
    )
    by_kind = {type(each): each for each in watch}
    assert by_kind[callbacks.Rates].batch_size == 3
    assert by_kind[callbacks.BestModel].patience == 5
    assert by_kind[callbacks.BestModel].monitor == "val_psnr"
    assert by_kind[callbacks.ExponentialMovingAverage].decay == 0.5
    assert by_kind[callbacks.Checkpoint].every_steps == 7
    kinds = list(by_kind)
    assert kinds.index(callbacks.Rates) < kinds.index(keras.callbacks.CSVLogger) < kinds.index(callbacks.Report)
    assert kinds[-1] is callbacks.Checkpoint


def test_patience_without_a_log_is_refused(tmp_path):
    with pytest.raises(ValueError, match="patience=3.*monitor|monitor.*patience=3"):
        callbacks.for_run(tmp_path, (IMAGES, IMAGES), patience=3)
