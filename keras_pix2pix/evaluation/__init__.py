"""How good generated pictures are: one by one, and as a set compared with the real ones."""

from keras_pix2pix.evaluation.distances import Distance, features_of, fid, kid
from keras_pix2pix.evaluation.scores import picture_scores, standard_error

__all__ = ["Distance", "features_of", "fid", "kid", "picture_scores", "standard_error"]
