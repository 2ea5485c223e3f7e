"""Callbacks for `fit`: to watch a training, and to keep its results."""

from keras_pix2pix.callbacks.average import ExponentialMovingAverage
from keras_pix2pix.callbacks.best_model import BestModel
from keras_pix2pix.callbacks.checkpoint import Checkpoint, resume_point
from keras_pix2pix.callbacks.health import Health
from keras_pix2pix.callbacks.pictures import ImageSummary, Report, SampleGrid
from keras_pix2pix.callbacks.rates import Rates
from keras_pix2pix.callbacks.run_callbacks import for_run
from keras_pix2pix.callbacks.tensorboard import TensorBoard

__all__ = [
    "BestModel",
    "Checkpoint",
    "ExponentialMovingAverage",
    "Health",
    "ImageSummary",
    "Rates",
    "Report",
    "SampleGrid",
    "TensorBoard",
    "for_run",
    "resume_point",
]
