"""`keras-pix2pix evaluate`."""

from typing import Annotated

import rich.console
import rich.table
import typer
from rich.markup import escape

from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.evaluation import evaluate_folder, evaluate_run, write_evaluation
from keras_pix2pix.runs.model import load_features
from keras_pix2pix.runs.segmenter import judge_of
from keras_pix2pix.terminal import printable

__all__ = ["evaluate"]

_UNITS = {
    "l1": "L1 (grey levels)",
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "kid": "KID",
    "fid": "FID",
    "fcn_pixel_accuracy": "FCN pixel accuracy",
    "fcn_class_accuracy": "FCN class accuracy",
    "fcn_class_iou": "FCN class IoU",
}


def evaluate(
    run: Annotated[
        str, typer.Argument(help="Run folder, or a .keras file in it; with --generated, the folder of targets.")
    ],
    data: Annotated[
        str | None, typer.Argument(help="Folder of pairs like the run's. Defaults to its validation data.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Folder of targets, if DATA is a folder of sources.")] = None,
    against: Annotated[
        list[str] | None, typer.Option(help="Another run, evaluated on the same pictures; repeatable.")
    ] = None,
    generated: Annotated[
        str | None, typer.Option(help="Folder of generated pictures from any program, instead of a run.")
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            help="Network for KID and FID: a .keras file from images to features, the PyTorch file of published FIDs' "
            'Inception (pt_inception-2015-12-05-6726825d.pth), or "imagenet".'
        ),
    ] = None,
    segmenter: Annotated[
        str | None,
        typer.Option(
            help="Network for the FCN-score of photos made from label maps: a .keras file from images to the logits of "
            'classes, or "train": trained on the run\'s own pairs, and kept in its folder.'
        ),
    ] = None,
):
    """Say how good generated pictures are: scores with their errors, and the best and worst of them."""
    from keras_pix2pix import write_report  # Here, because its plotting takes a while to import.

    features_of = None if features is None else load_features(features)
    if generated is not None:
        if data or target or against:
            raise ValueError(
                "--generated takes one folder of targets and nothing else: evaluate TARGETS --generated FOLDER."
            )
        if segmenter:
            raise ValueError(
                "--segmenter needs label maps, and --generated has only pictures. Leave it out, or evaluate a run."
            )
        _print([evaluate_folder(generated, run, features_of)])
        return
    judge = None if segmenter is None else judge_of(run, segmenter)
    evaluations = [evaluate_run(each, data, target, features_of, judge) for each in (run, *(against or []))]
    _print(evaluations)
    for each, evaluation in zip((run, *(against or [])), evaluations, strict=True):
        write_evaluation(each, evaluation)
        write_report(RunFolder.of(each).path)
    folder = RunFolder.of(run)
    print(f"Picture by picture: {folder.evaluated_pictures}; the best and the worst: {folder.best_and_worst}")


def _print(evaluations):
    columns = [(each.name, len(each.files), each.summary()) for each in evaluations]
    if evaluations[0].real_scores:
        columns.insert(0, ("real photos", len(evaluations[0].files), evaluations[0].real_scores))
    console = rich.console.Console()
    if not console.is_terminal:
        for column, pictures, scores in columns:
            words = ", ".join(f"{name} {_words(score)}" for name, score in scores.items())
            print(f"{printable(column)}: {pictures} pictures, {words}")
        return
    table = rich.table.Table(box=None, pad_edge=False, title_justify="left")
    table.add_column("")
    for column, *_ in columns:
        table.add_column(escape(printable(column)), justify="right")
    for name in columns[-1][-1]:
        cells = [_words(scores[name]) if name in scores else "" for *_, scores in columns]
        table.add_row(_UNITS.get(name, name.replace("_", " ")), *cells)
    console.print(table)


def _words(score):
    value, error, warning = score
    words = f"{value:.4g}" + (f" ± {error:.2g}" if error is not None and error == error else "")
    return words + (f" ({warning})" if warning else "")
