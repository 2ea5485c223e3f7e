"""Evaluate a run, or a folder of generated pictures, on pairs: scores, their errors, best and worst pictures."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_pix2pix.data.pair_lists import is_pair_list, subsets_in
from keras_pix2pix.files import whole_file
from keras_pix2pix.images import beside, write_png
from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.data import run_dataset, run_encodings, run_folders, run_pairs
from keras_pix2pix.runs.model import load_model
from keras_pix2pix.runs.pictures import needed_configuration
from keras_pix2pix.runs.startup import start_tensorflow
from keras_pix2pix.terminal import with_progress

__all__ = ["Evaluation", "evaluate_folder", "evaluate_run", "write_evaluation"]

_SHOWN = 3  # How many of the best pictures, and of the worst.
_UP = {"psnr": True, "ssim": True, "pixel_accuracy": True, "class_iou": True, "l1": False}


class Evaluation(NamedTuple):
    """The scores of a set of generated pictures.

    Args:
        name: Name of the run or folder.
        files: Names of the pictures.
        scores: Name -> array `(pictures,)`.
        set_scores: Name -> `Score` of the whole set: "kid" and "fid" with features, the FCN-score with a segmenter.
        real_scores: The same of the real photos: the FCN-score with a segmenter, else empty.
        rows: The best and the worst pictures, source | generated | target, as RGB pixels.
    """

    name: str
    files: list
    scores: dict
    set_scores: dict
    real_scores: dict
    rows: np.ndarray

    def summary(self):
        """Name -> `Score` of the set: means over the pictures, then the rest."""
        from keras_pix2pix.evaluation import Score, standard_error

        means = {name: Score(float(each.mean()), standard_error(each)) for name, each in self.scores.items()}
        return means | self.set_scores


def evaluate_run(
    run: str | Path, data: str | None = None, target: str | None = None, features: Any = None, judge: Any = None
) -> Evaluation:
    """Evaluate the model of a run on its validation data, or on other data of the same layout."""
    config = needed_configuration(run)
    judge = judge and judge.of_run(run, config)
    folders = _folders(config, run, data, target)
    if data is not None:
        config.pop("validation_split", None)  # It applies to the run's own data.
    subset = "test" if data is not None and "test" in subsets_in(data) else "validation"
    pairs = run_pairs(config, folders, subset)
    model = load_model(run)
    dataset = run_dataset({**config, "batch_size": 1}, folders, subset, training=False)
    examples = ((source, model.generator(source, training=False), *rest) for source, *rest in dataset)
    return _evaluated(str(run), pairs, examples, run_encodings(config), features, judge)


def evaluate_folder(generated: str, target: str, features: Any = None) -> Evaluation:
    """Compare a folder of generated pictures with a folder of their targets, matched by name."""
    start_tensorflow()
    from keras_pix2pix import encodings, paired_dataset
    from keras_pix2pix.data.pairs import match_folders

    pairs = match_folders(generated, target)
    rgb = encodings.get("rgb")
    size = rgb.size(pairs[0].source_file)
    dataset = paired_dataset(generated, target, image_size=size, training=False)
    examples = ((one, one, *rest) for one, *rest in dataset)
    return _evaluated(str(generated), pairs, examples, (rgb, rgb), features)


def write_evaluation(run, evaluation):
    """Write `evaluation.json`, `.csv` and `.png` into a run folder."""
    folder = RunFolder.of(run)
    with whole_file(folder.evaluated_pictures) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["picture", *evaluation.scores])
        table.writerows(zip(evaluation.files, *evaluation.scores.values(), strict=True))
    write_png(folder.best_and_worst, evaluation.rows)
    contents = {"pictures": len(evaluation.files), "scores": _plain(evaluation.summary())}
    if evaluation.real_scores:
        contents["real_photos"] = _plain(evaluation.real_scores)
    with whole_file(folder.evaluation) as temporary:
        temporary.write_text(json.dumps(contents, indent=2) + "\n", encoding="utf-8")


def _folders(config, run, data, target):
    if data is not None:
        if not is_pair_list(data) and bool(target) != ("target" in config):
            advice = "two folders: give" if "target" in config else "side-by-side files: leave out"
            raise ValueError(f"The run in {run} was trained on {advice} --target. Received: DATA={data}.")
        return data, target
    _, validation = run_folders(config, RunFolder.of(run).path, resume=True)
    if validation is None:
        raise ValueError(
            f"The run in {run} has no validation data. Pass a folder of pairs that it wasn't trained on: "
            f"keras-pix2pix evaluate {run} DATA"
        )
    return validation


def _evaluated(name, pairs, examples, encodings, features_of, judge=None):
    from keras_pix2pix.evaluation import picture_scores

    source_encoding, target_encoding = encodings
    found, features, counts, extremes = [], [], [], _Extremes()
    together = zip(pairs, examples, strict=True)
    for pair, (source, generated, target, weight) in with_progress(together, len(pairs), "Evaluating"):
        scores = picture_scores(*_without_padding(weight, generated, target), target_encoding)
        pictures = [_shown(each, target_encoding) for each in (target, generated)]
        if features_of:
            features.append([features_of(picture[np.newaxis])[0] for picture in pictures])
        if judge:
            counts.append(judge.counts(np.stack(pictures), pair))
        extremes.add(scores, beside(_shown(source, source_encoding), *reversed(pictures)))
        found.append(scores)
    scores = {key: np.concatenate([each[key] for each in found]) for key in found[0]}
    real_scores, fcn_scores = _fcn_scores(counts)
    files = [_name_of(pair.source_file) for pair in pairs]
    return Evaluation(name, files, scores, _distances(features) | fcn_scores, real_scores, extremes.rows())


def _without_padding(weight, *images):
    """The part of images of one pair whose pixels have a weight; all of them without weights of pixels."""
    if len(weight.shape) == 1:
        return images
    counted = np.asarray(weight)[0, ..., 0] > 0
    rows, columns = (_span(counted.any(axis=axis)) for axis in (1, 0))
    return [image[:, rows, columns] for image in images]


def _span(counted):
    """The slice of an axis that counts, with some of the padding where it would be too thin for SSIM."""
    from keras_pix2pix.metrics import SSIM_WINDOW

    first, *_, last = np.flatnonzero(counted)[[0, -1]]
    start = max(0, min(first, len(counted) - SSIM_WINDOW))
    return slice(start, max(last + 1, start + SSIM_WINDOW))


def _distances(features):
    """KID and FID from the features of (target, generated) for each picture; empty without features."""
    from keras_pix2pix.evaluation import fid, kid

    if not features:
        return {}
    sets = [np.stack(each) for each in zip(*features, strict=True)]
    return {"kid": kid(*sets), "fid": fid(*sets)}


def _fcn_scores(counts):
    """The FCN-scores of targets and of generated pictures, from the counts of both for each pair; empty without."""
    from keras_pix2pix.evaluation.segmentation import scores_of_counts

    if not counts:
        return {}, {}
    return [
        {f"fcn_{name}": score for name, score in scores_of_counts(np.stack(each)).items()}
        for each in zip(*counts, strict=True)
    ]


def _plain(scores):
    return {name: score._asdict() for name, score in scores.items()}


class _Extremes:
    """The rows of the best and the worst pictures by the last score, which is closest to what people see."""

    def __init__(self):
        self.kept = []

    def add(self, scores, row):
        name, (value,) = list(scores.items())[-1]
        self.kept.append((float(value if _UP[name] else -value), row))
        self.kept.sort(key=lambda each: -each[0])
        # The best come first; those in the middle are dropped.
        del self.kept[_SHOWN:-_SHOWN]

    def rows(self):
        return np.concatenate([row for _, row in self.kept])


def _shown(images, encoding):
    return encoding.show(np.asarray(encoding.to_raw(images))[0])


def _name_of(file):
    return Path(file[0] if isinstance(file, tuple) else file).name
