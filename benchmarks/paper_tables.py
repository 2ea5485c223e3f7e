"""Do the paper's orders come out? Its Tables 1, 2 and 3, trained on the facades by the package's own options.

Table 1 compares losses, Table 2 the U-Net with an encoder-decoder, Table 3 the discriminator's receptive field. The
paper's figures are of Cityscapes, ours of the facades: what can be compared is which row is better. Each row is a run
of `keras-pix2pix train`, judged on the test pairs by `keras-pix2pix evaluate --segmenter`, the FCN-score of Section
4.1.

    export KERAS_PIX2PIX_FACADES=facades
    nice python benchmarks/paper_tables.py --output tables
    python benchmarks/paper_tables.py --output tables --image-size 256 --filters 64 --epochs 200 --jobs 5

The first line trains small networks on two cores, in an hour and a half; the second the paper's on a GPU. Interrupted,
both continue where they were. `--output` receives the runs and `paper_tables.md`: the tables, means over the seeds with
standard errors (of the pictures, by bootstrap, and of the seeds), and for each order that the paper reports whether it
came out: if the difference of pixel accuracy is more than twice its error. Without the data set, a folder with `train/`
and `test/` that the environment variable names, the exit code is 2.
"""

import argparse
import concurrent.futures
import json
import math
import os
import statistics
import subprocess
import sys
from pathlib import Path

from keras_pix2pix.files import whole_file

FACADES_VARIABLE = "KERAS_PIX2PIX_FACADES"
WHOLE = "L1+cGAN"  # The paper's choice: with the U-Net and the 70x70 PatchGAN.
NO_SKIPS = {"generator.skips": False}
ROWS = {
    "L1": {"compile.lambda_gan": 0},
    "GAN": {"compile.lambda_l1": 0, "discriminator.conditional": False},
    "cGAN": {"compile.lambda_l1": 0},
    "L1+GAN": {"discriminator.conditional": False},
    WHOLE: {},
    "encoder-decoder, L1": {**NO_SKIPS, "compile.lambda_gan": 0},
    "encoder-decoder, L1+cGAN": NO_SKIPS,
    "1x1": {"discriminator.num_layers": 0},
    "16x16": {"discriminator.num_layers": 1},
    "286x286": {"discriminator.num_layers": 5},
}
# Row -> name in the table.
TABLES = {
    "Table 1, the loss": {"L1": "L1", "GAN": "GAN", "cGAN": "cGAN", "L1+GAN": "L1+GAN", WHOLE: WHOLE},
    "Table 2, the generator": {
        "encoder-decoder, L1": "encoder-decoder, L1",
        "encoder-decoder, L1+cGAN": "encoder-decoder, L1+cGAN",
        "L1": "U-Net, L1",
        WHOLE: "U-Net, L1+cGAN",
    },
    "Table 3, the discriminator": {"1x1": "1x1", "16x16": "16x16", WHOLE: "70x70", "286x286": "286x286"},
}
# What the paper reports for Cityscapes: per-pixel accuracy, per-class accuracy, class IoU.
PAPER = {
    "L1": (0.42, 0.15, 0.11),
    "GAN": (0.22, 0.05, 0.01),
    "cGAN": (0.57, 0.22, 0.16),
    "L1+GAN": (0.64, 0.20, 0.15),
    "L1+cGAN": (0.66, 0.23, 0.17),
    "encoder-decoder, L1": (0.35, 0.12, 0.08),
    "encoder-decoder, L1+cGAN": (0.29, 0.09, 0.05),
    "U-Net, L1": (0.48, 0.18, 0.13),
    "U-Net, L1+cGAN": (0.55, 0.20, 0.14),
    "1x1": (0.39, 0.15, 0.10),
    "16x16": (0.65, 0.21, 0.17),
    "70x70": (0.66, 0.23, 0.17),
    "286x286": (0.42, 0.16, 0.11),
}
# The better row first.
ORDERS = [
    (WHOLE, "L1"),
    (WHOLE, "cGAN"),
    ("L1+GAN", "L1"),
    (WHOLE, "L1+GAN"),
    ("cGAN", "GAN"),
    ("L1", "encoder-decoder, L1"),
    (WHOLE, "encoder-decoder, L1+cGAN"),
    (WHOLE, "1x1"),
    ("16x16", "1x1"),
    (WHOLE, "286x286"),
]
SCORES = {
    "fcn_pixel_accuracy": "pixel accuracy",
    "fcn_class_accuracy": "class accuracy",
    "fcn_class_iou": "class IoU",
}


def main(arguments=None):
    """Train and judge what is missing, then write the tables."""
    options = parse_arguments(arguments)
    facades = facades_folder()
    options.output.mkdir(parents=True, exist_ok=True)
    runs = [(row, seed) for seed in options.seeds for row in ROWS]
    # One run at a time is judged first, because it makes the segmenter that judges all.
    train_and_judge((WHOLE, options.seeds[0]), facades, options)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda run: train_and_judge(run, facades, options), runs))
    with whole_file(options.output / "paper_tables.md") as temporary:
        temporary.write_text(report(options), encoding="utf-8")
    print((options.output / "paper_tables.md").read_text(encoding="utf-8"))


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("paper_tables"), help="default paper_tables")
    parser.add_argument("--image-size", type=int, default=128, choices=(32, 64, 128, 256), help="default 128")
    parser.add_argument("--filters", type=int, default=16, help="of both networks (default 16; the paper's: 64)")
    parser.add_argument("--epochs", type=int, default=8, help="of each run (default 8; the paper's: 200)")
    parser.add_argument("--steps-per-epoch", type=int, default=400, help="at batch 1 (default 400: every pair once)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="default 0 1")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default 2)")
    return parser.parse_args(arguments)


def facades_folder():
    """The folder that the environment variable names; without one, the exit code is 2."""
    facades = os.environ.get(FACADES_VARIABLE)
    if not facades:
        message = f"Set {FACADES_VARIABLE} to the folder of the `facades` data set, with `train` and `test` in it."
        print(message, file=sys.stderr)
        raise SystemExit(2)
    return Path(facades)


def folder_of(row, seed, options):
    return options.output / f"{row.replace(', ', '_')}_{seed}"


def train_and_judge(run, facades, options):
    """Bring one run to its last epoch, and its `evaluation.json` into its folder."""
    row, seed = run
    folder = folder_of(row, seed, options)
    if (folder / "evaluation.json").exists():
        return
    changes = {"generator.filters": options.filters, "discriminator.filters": options.filters, **ROWS[row]}
    given = [str(facades / "train"), "--direction", "BtoA", "--image-size", str(options.image_size)]
    given += ["--epochs", str(options.epochs), "--steps-per-epoch", str(options.steps_per_epoch), "--seed", str(seed)]
    for name, value in changes.items():
        given += ["--set", f"{name}={json.dumps(value)}"]
    started = ["--resume"] if (folder / "config.json").exists() else given
    keras_pix2pix("train", *started, "--run-dir", str(folder), log=folder.with_suffix(".log"))
    first = folder_of(WHOLE, options.seeds[0], options)
    segmenter = "train" if folder == first else str(first / "segmenter.keras")
    keras_pix2pix(
        "evaluate", str(folder), str(facades / "test"), "--segmenter", segmenter, log=folder.with_suffix(".log")
    )
    print(f"{row}, seed {seed}: done", flush=True)


def keras_pix2pix(*arguments, log):
    """Run a command of the package in a process of its own; several share a GPU's memory."""
    environment = {**os.environ, "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    with log.open("a", encoding="utf-8") as file:
        command = [sys.executable, "-m", "keras_pix2pix", *arguments]
        if subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, env=environment).returncode:
            raise SystemExit(f"{' '.join(arguments)} failed:\n{log.read_text(encoding='utf-8')[-2000:]}")


def report(options):
    """The tables and the verdicts, as Markdown."""
    measured = {row: over_seeds([scores_of(row, seed, options) for seed in options.seeds]) for row in ROWS}
    lines = [
        f"Facades, {options.image_size}x{options.image_size}, {options.filters} filters, {options.epochs} epochs of "
        f"{options.steps_per_epoch} steps at batch 1; seeds {', '.join(map(str, options.seeds))}.\n"
    ]
    for title, rows in TABLES.items():
        lines += ["", f"| {title} | {' | '.join(SCORES.values())} | in the paper |", "|---|---|---|---|---|"]
        for row, name in rows.items():
            cells = [f"{value:.3f} ± {error:.3f}" for value, error in measured[row].values()]
            lines.append(f"| {name} | {' | '.join(cells)} | {', '.join(f'{each:.2f}' for each in PAPER[name])} |")
    lines += ["", "| the paper's order | difference of pixel accuracy | here |", "|---|---|---|"]
    for better, worse in ORDERS:
        (one, error), (other, other_error) = (measured[row]["fcn_pixel_accuracy"] for row in (better, worse))
        difference, error = one - other, math.hypot(error, other_error)
        lines.append(f"| {better} > {worse} | {difference:+.3f} ± {error:.3f} | {verdict(difference, error)} |")
    return "\n".join(lines) + "\n"


def scores_of(row, seed, options):
    """Name -> (value, standard error) of one run."""
    contents = (folder_of(row, seed, options) / "evaluation.json").read_text(encoding="utf-8")
    scores = json.loads(contents)["scores"]
    return {name: (scores[name]["value"], scores[name]["standard_error"]) for name in SCORES}


def over_seeds(runs):
    """Name -> (mean over the seeds, its standard error, which has the seeds' and the pictures' part)."""
    found = {}
    for name in runs[0]:
        values, errors = zip(*(run[name] for run in runs), strict=True)
        of_seeds = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
        # All seeds are judged on the same pictures, so that their part doesn't shrink with more seeds.
        found[name] = statistics.mean(values), math.hypot(of_seeds, statistics.mean(errors))
    return found


def verdict(difference, error):
    if abs(difference) <= 2 * error:
        return "not told apart"
    return "came out" if difference > 0 else "the other way round"


if __name__ == "__main__":
    main()
