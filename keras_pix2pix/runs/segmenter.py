"""The segmenter of the FCN-score: from a file, or trained on a run's own pairs and kept in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_pix2pix.data.fitting import Side
from keras_pix2pix.data.pairs import split_side_by_side
from keras_pix2pix.encodings import Picture
from keras_pix2pix.files import whole_file
from keras_pix2pix.images import to_image
from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.data import run_encodings, run_fitting, run_folders, run_pairs, spread
from keras_pix2pix.runs.model import load_network
from keras_pix2pix.runs.pictures import needed_configuration
from keras_pix2pix.runs.startup import start_tensorflow
from keras_pix2pix.terminal import with_progress

if TYPE_CHECKING:
    import keras

__all__ = ["Judge", "judge_of"]

_TRAIN = "train"
_MOST_PAIRS = 1000  # In memory at once; a segmenter sees 4800 examples.


class Judge(NamedTuple):
    """A segmenter, and how the labels that it is asked for are stored.

    Args:
        segmenter: From photos to the logits of classes.
        encoding: That of the label map.
        part: Which of the sources is the label map.
        parts: Number of sources.
        fitting: How the run fits pictures to its size.
    """

    segmenter: keras.Model | None
    encoding: Any
    part: int
    parts: int
    fitting: Any

    def labels(self, pair):
        """The class of each pixel of a pair's label map, `(height, width)`; -1 for none, and for padding."""
        files = pair.source_file if isinstance(pair.source_file, tuple) else (pair.source_file,)
        opened = self.encoding.open(files[self.part])
        if pair.direction is not None:
            opened = split_side_by_side(opened, pair.direction)[0]
        prepared = self.fitting.prepare(Side(self.encoding, opened, files[self.part]))
        classes = self.encoding.classes_of(self.fitting.window(prepared))
        return np.where(self.fitting.weights(prepared)[..., 0] > 0, classes, -1)

    def counts(self, pictures, pair):
        """The `class_counts` of several pictures of one pair, uint8 `(pictures, height, width, 3)`."""
        from keras_pix2pix.evaluation.segmentation import class_counts

        labels = self.labels(pair)
        return class_counts(self.segmenter, to_image(pictures), np.stack([labels] * len(pictures)))

    def of_run(self, run, config):
        """The judge for another run's pictures; raises where they or their sources are others than the first run's."""
        taken, made, sources = self.segmenter.input_shape[1:3], config["image_size"], run_encodings(config)[0].parts
        if None not in taken and taken != made:
            raise ValueError(
                f"The segmenter takes photos of {_size(taken)}, and the run in {run} makes {_size(made)} (height x "
                "width). Accepted: the same size. Pass another --segmenter, or evaluate the run by itself."
            )
        if len(sources) != self.parts:
            raise ValueError(
                f"The label map is one of {self.parts} sources of the first run. Accepted for --against: as many. "
                f"Received: {len(sources)} in {run}. Evaluate it by itself."
            )
        return self._replace(fitting=run_fitting(config))


def judge_of(run: str | Path, word: str) -> Judge:
    """The judge of a run's generated photos, with the segmenter of a file or, for "train", of the run's own pairs."""
    config = needed_configuration(run)
    training, _ = run_folders(config, RunFolder.of(run).path, resume=True)
    judge = _label_maps(run, config, training)
    start_tensorflow()
    segmenter = _kept_or_trained(run, judge, config, training) if word == _TRAIN else load_network(word)
    if not _fits(segmenter, judge, config):
        taken, made = _shapes(segmenter)
        raise ValueError(
            f"{word} is no segmenter for the run in {run}. Accepted: a network from RGB images of "
            f"{_size(config['image_size'])} (height x width) to the logits of {_classes(judge)} classes. Received: "
            f"from {taken} to {made}. Pass another file, or --segmenter {_TRAIN}."
        )
    return judge._replace(segmenter=segmenter)


def _kept_or_trained(run, judge, config, training):
    file = RunFolder.of(run).segmenter
    if file.exists() and _fits(segmenter := load_network(file), judge, config):
        return segmenter
    segmenter = _trained(judge, config, training)
    with whole_file(file) as temporary:
        segmenter.save(temporary)
    print(f"The segmenter, trained on the run's own pairs: {file}")
    return segmenter


def _label_maps(run, config, training):
    """A judge without segmenter, for the source that is a label map: as declared, or else as found."""
    from keras_pix2pix.data.found_encodings import found_encodings

    source, target = run_encodings(config)
    for part, encoding in enumerate(source.parts):
        if encoding.is_label_map:
            return Judge(None, encoding, part, len(source.parts), run_fitting(config))
    if source == Picture(3):
        run_pairs(config, training, "training")  # Their faults are others than those of the colours.
        try:
            found, _ = found_encodings([training], config["direction"], "palette:auto", target)
        except ValueError as error:
            raise _no_label_map(run) from error
        return Judge(None, found, 0, 1, run_fitting(config))
    raise _no_label_map(run)


def _no_label_map(run):
    return ValueError(
        f"There is no label map to segment against: the source of the run in {run} is none. Accepted for "
        "--segmenter: a run whose source is a label map, of classes or of a few colours, which JPEG may have blurred. "
        "Leave --segmenter out."
    )


def _trained(judge, config, training):
    from keras_pix2pix import preset_data
    from keras_pix2pix.evaluation import train_segmenter

    _, encoding = encodings = run_encodings(config)
    interpolation = preset_data(config["preset"], config.get("changes"))["target_interpolation"]
    pairs = spread(run_pairs(config, training, "training"), _MOST_PAIRS)
    photos, labels = [], []
    for pair in with_progress(pairs, len(pairs), "Reading the training pairs"):
        target = Side(encoding, pair.read(*encodings)[1], pair.target_file, interpolation)
        photos.append(encoding.show(judge.fitting.fitted(target)))
        labels.append(judge.labels(pair))
    return train_segmenter(to_image(np.stack(photos)), np.stack(labels), classes=_classes(judge))


def _classes(judge):
    return len(judge.encoding.class_names)


def _fits(segmenter, judge, config):
    wanted = [((None, *size, 3), (None, *size, _classes(judge))) for size in (config["image_size"], (None, None))]
    return _shapes(segmenter) in wanted


def _shapes(network):
    """Those of a network's input and output; None for what has none, such as a whole Pix2Pix."""
    return getattr(network, "input_shape", None), getattr(network, "output_shape", None)


def _size(sides):
    return "x".join(map(str, sides))
