"""How good generated pictures are: one by one, and as a set compared with the real ones."""

from keras_pix2pix.evaluation.distances import features_of, fid, kid
from keras_pix2pix.evaluation.inception import inception_features
from keras_pix2pix.evaluation.lpips import lpips, lpips_vgg16
from keras_pix2pix.evaluation.scores import Score, picture_scores, standard_error
from keras_pix2pix.evaluation.segmentation import fcn_score, train_segmenter

__all__ = [
    "Score",
    "fcn_score",
    "features_of",
    "fid",
    "inception_features",
    "kid",
    "lpips",
    "lpips_vgg16",
    "picture_scores",
    "standard_error",
    "train_segmenter",
]
