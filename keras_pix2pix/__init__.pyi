from . import callbacks, data, encodings, evaluation, images, metrics
from .convert.keras.loading import from_legacy_keras
from .convert.keras.tf_tutorial import from_tf_tutorial
from .convert.pytorch.loading import from_pytorch
from .data.download import download_dataset
from .data.inspection import draw_pairs
from .data.pipeline import paired_dataset
from .deploy.metadata import read_metadata
from .deploy.onnx import export_onnx
from .deploy.saved_model import export_saved_model
from .deploy.tflite import export_tflite
from .deploy.web import export_web
from .inference.batch_to_instance import instance_from_batch
from .inference.serving import serving_model
from .networks.patchgan import patchgan_discriminator, pytorch_gan_discriminator, receptive_field
from .networks.resnet import enhanced_resnet_generator, resnet_generator
from .networks.unet import unet_generator
from .report.page import write_report
from .runs.model import load_model
from .training.distribution import strategy_for
from .training.model import Pix2Pix
from .training.perceptual import PerceptualLoss
from .training.presets import preset_data
from .training.workers import fit_on_workers

__all__ = [
    "PerceptualLoss",
    "Pix2Pix",
    "callbacks",
    "data",
    "download_dataset",
    "draw_pairs",
    "encodings",
    "enhanced_resnet_generator",
    "evaluation",
    "export_onnx",
    "export_saved_model",
    "export_tflite",
    "export_web",
    "fit_on_workers",
    "from_legacy_keras",
    "from_pytorch",
    "from_tf_tutorial",
    "images",
    "instance_from_batch",
    "load_model",
    "metrics",
    "paired_dataset",
    "patchgan_discriminator",
    "preset_data",
    "pytorch_gan_discriminator",
    "read_metadata",
    "receptive_field",
    "resnet_generator",
    "serving_model",
    "strategy_for",
    "unet_generator",
    "write_report",
]

__version__: str
