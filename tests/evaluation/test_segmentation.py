"""The FCN-score beside loops over pixels and scikit-learn, and a segmenter that learns."""

import keras
import numpy as np
import pytest

from keras_pix2pix.evaluation import fcn_score, segmentation, train_segmenter

CLASSES = 5
RARE, ABSENT = 3, 4


@pytest.fixture
def answers():
    return np.random.default_rng(1).integers(0, CLASSES, (7, 8, 8))


@pytest.fixture
def labels(answers):
    """Labels that the answers often have, with pixels of no class, a class in one picture only, and one in none."""
    rng = np.random.default_rng(2)
    labels = np.where(rng.random(answers.shape) < 0.6, answers, rng.integers(0, RARE, answers.shape))
    labels[labels >= RARE] = 0
    labels[2, :3] = RARE
    labels[rng.random(answers.shape) < 0.1] = -1
    return labels


def reading_out(classes):
    """A segmenter whose answer is in the red level of a photo: class 0 at -1, and the others in steps of 0.1."""
    photo = keras.Input((None, None, 3))

    def logits(image):
        return -keras.ops.abs((image[..., :1] + 1) * 10 - keras.ops.arange(classes, dtype="float32"))

    return keras.Model(photo, keras.layers.Lambda(logits, output_shape=(None, None, classes))(photo))


def photos_of(answers):
    return np.repeat(answers[..., np.newaxis] / 10 - 1, 3, axis=-1)


def by_loops(answers, labels):
    """The three scores, pixel by pixel."""
    pairs = [(answer, label) for answer, label in zip(answers.ravel(), labels.ravel(), strict=True) if label != -1]
    recalls, ious = [], []
    for each in sorted({label for _, label in pairs}):
        both = sum(answer == each and label == each for answer, label in pairs)
        recalls.append(both / sum(label == each for _, label in pairs))
        ious.append(both / sum(each in pair for pair in pairs))
    accuracy = sum(answer == label for answer, label in pairs) / len(pairs)
    return {"pixel_accuracy": accuracy, "class_accuracy": np.mean(recalls), "class_iou": np.mean(ious)}


def test_scores_are_those_of_loops_over_the_pixels(answers, labels):
    scores = fcn_score(reading_out(CLASSES), photos_of(answers), labels)
    assert {name: score.value for name, score in scores.items()} == pytest.approx(by_loops(answers, labels))
    assert scores["class_iou"].value < scores["class_accuracy"].value < scores["pixel_accuracy"].value


def test_scores_are_those_of_scikit_learn(answers, labels):
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    counted = labels != -1
    pairs = labels[counted], answers[counted]
    matrix = sklearn_metrics.confusion_matrix(*pairs)
    some = {"labels": range(RARE + 1), "average": "macro"}
    scores = fcn_score(reading_out(CLASSES), photos_of(answers), labels)
    assert scores["pixel_accuracy"].value == pytest.approx(matrix.trace() / matrix.sum())
    assert scores["class_accuracy"].value == pytest.approx(sklearn_metrics.recall_score(*pairs, **some))
    assert scores["class_iou"].value == pytest.approx(sklearn_metrics.jaccard_score(*pairs, **some))


def test_errors_are_the_spread_of_scores_of_pictures_drawn_again(answers, labels):
    scores = fcn_score(reading_out(CLASSES), photos_of(answers), labels)
    drawn = np.random.default_rng(0).integers(0, 7, (1000, 7))[:200]
    resampled = [by_loops(answers[each], labels[each]) for each in drawn]
    for name, score in scores.items():
        assert score.standard_error == pytest.approx(np.std([each[name] for each in resampled], ddof=1), rel=0.2)


def test_a_single_picture_has_no_error(answers, labels):
    scores = fcn_score(reading_out(CLASSES), photos_of(answers[:1]), labels[:1])
    assert {score.standard_error for score in scores.values()} == {None}


def test_a_picture_without_classes_changes_nothing(answers, labels):
    segmenter, ignored = reading_out(CLASSES), np.concatenate([labels, np.full_like(labels[:1], -1)])
    scores = fcn_score(segmenter, photos_of(np.concatenate([answers, answers[:1]])), ignored)
    assert scores["class_iou"].value == fcn_score(segmenter, photos_of(answers), labels)["class_iou"].value
    with pytest.raises(ValueError, match="of a class"):
        fcn_score(segmenter, photos_of(answers[:1]), ignored[-1:])


def test_more_pictures_than_a_batch(answers, labels):
    once, often = answers[:1], np.repeat(answers[:1], 20, axis=0)
    scores = fcn_score(reading_out(CLASSES), photos_of(often), np.repeat(labels[:1], 20, axis=0))
    assert scores["class_iou"].value == pytest.approx(by_loops(once, labels[:1])["class_iou"])
    assert scores["class_iou"].standard_error == pytest.approx(0)


@pytest.fixture(scope="module")
def stripes():
    """Photos whose class is in their colour: the left third, the rest, and a row of no class."""
    labels = np.ones((4, 16, 16), int)
    labels[:, :, :5] = 0
    labels[:, 8] = -1
    photos = np.random.default_rng(0).normal(0, 0.05, (4, 16, 16, 3))
    photos[labels == 0, 0] += 0.8
    photos[labels == 1, 2] += 0.8
    photos[labels == -1] = 0
    return photos, labels


def test_a_segmenter_learns_the_classes_of_colours(stripes):
    photos, labels = stripes
    segmenter = train_segmenter(photos, labels, filters=8, steps=60, batch_size=2)
    assert segmenter.output_shape == (None, 16, 16, 2)
    assert fcn_score(segmenter, photos, labels)["class_iou"].value > 0.95
    # Mirror images were among its examples.
    assert fcn_score(segmenter, photos[:, :, ::-1], labels[:, :, ::-1])["class_iou"].value > 0.95


def logits(stripes, **options):
    photos, labels = stripes
    return train_segmenter(photos, labels, **{"filters": 2, "steps": 3, **options}).predict(photos, verbose=0)


@pytest.mark.slow
def test_seed_steps_and_batch_size_decide(stripes):
    first = logits(stripes)
    np.testing.assert_array_equal(logits(stripes), first)
    for change in ({"seed": 1}, {"steps": 4}, {"batch_size": 1}):
        assert np.abs(logits(stripes, **change) - first).max() > 1e-4


def test_pixels_of_no_class_teach_nothing(stripes):
    photos, labels = stripes
    ignored = np.full_like(labels, -1)
    ignored[:, :, :5] = labels[:, :, :5]
    only_left = train_segmenter(photos, ignored, filters=8, steps=40, classes=2)
    answers = only_left.predict(photos, verbose=0).argmax(-1)
    assert (answers == 0).mean() > 0.95


def test_filters_and_classes(stripes):
    photos, labels = stripes
    narrow, wide = (train_segmenter(photos, labels, classes=6, filters=filters, steps=1) for filters in (2, 4))
    assert narrow.output_shape[-1] == 6
    assert wide.count_params() > 2 * narrow.count_params()


def test_the_progress_bar_has_a_step_for_each_batch_and_goes_away(monkeypatch):
    drawn = []

    def bar(steps, number, description):
        for step in steps:
            drawn.append(f"{step} of {number}")
            yield step
        drawn.append("gone")

    monkeypatch.setattr(segmentation, "with_progress", bar)
    callback = segmentation._progress_bar(2)
    callback.on_train_begin()
    assert drawn == ["0 of 2"]
    for batch in (0, 1):
        callback.on_train_batch_end(batch)
    assert drawn == ["0 of 2", "1 of 2", "gone"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"photos": np.zeros((2, 16, 16, 1))}, "photos"),
        ({"photos": np.full((2, 16, 16, 3), 255.0)}, "255"),
        ({"labels": np.zeros((2, 16, 8), int)}, r"\(2, 16, 8\)"),
        ({"labels": np.zeros((2, 16, 16))}, "float64"),
        ({"labels": np.full((2, 16, 16), 255)}, "255"),
        ({"labels": np.full((2, 16, 16), -2)}, "-2"),
        ({"labels": np.full((2, 16, 16), -1)}, "of a class"),
        ({"classes": 1}, "classes"),
        ({"steps": 0}, "steps"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_other_arguments_are_refused(changes, word):
    arguments = {"photos": np.zeros((2, 16, 16, 3)), "labels": np.zeros((2, 16, 16), int), "classes": 2, **changes}
    with pytest.raises(ValueError, match=word):
        train_segmenter(**arguments)


def test_labels_beyond_the_segmenters_classes_are_refused(answers):
    with pytest.raises(ValueError, match="0 to 2"):
        fcn_score(reading_out(3), photos_of(answers), answers)
