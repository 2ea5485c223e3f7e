"""Does a small network learn more from a large one's pictures? `mobile` on the facades, alone and with a teacher.

The teacher is the paper's network, trained first. Then `mobile` is trained from each seed for the same steps, alone and
with `--teacher`, its weights averaged as those that come with the package are. All are runs of `keras-pix2pix train`,
judged on the test pairs by `keras-pix2pix evaluate`: distance to the photos, FCN-score, and KID on features of the
segmenter that the FCN-score comes from.

    export KERAS_PIX2PIX_FACADES=facades
    nice python benchmarks/distillation.py --output distillation --teacher-epochs 20 --epochs 20
    python benchmarks/distillation.py --output distillation --jobs 4

The second line is for a GPU: 200 epochs of each, several runs at a time. Interrupted, both continue where they were.
`--output` receives the runs and `distillation.md`, the table: means over the seeds with standard errors. Without the
data set, a folder with `train/` and `test/` that the environment variable names, the exit code is 2.
"""

import argparse
import concurrent.futures
import json
from pathlib import Path

import keras
from paper_tables import facades_folder, keras_pix2pix, over_seeds

from keras_pix2pix.files import whole_file

SCORES = {
    "l1": "L1, grey levels",
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "fcn_pixel_accuracy": "pixel accuracy",
    "fcn_class_iou": "class IoU",
    "kid": "KID",
}
AVERAGE = "0.9995"
FEATURES = "down4_convolution"  # Of the segmenter: what it sees in 16x16 pixels and around.


def main():
    options = parse_arguments()
    facades = facades_folder()
    options.output.mkdir(parents=True, exist_ok=True)
    teacher = options.output / "teacher"
    train(teacher, facades, options, options.teacher_epochs, "--preset", "paper")
    if not (teacher / "segmenter.keras").exists():
        judge(teacher, "model.keras", facades, options, "--segmenter", "train")
    write_features(teacher / "segmenter.keras", teacher / "features.keras")
    judges = "--segmenter", str(teacher / "segmenter.keras"), "--features", str(teacher / "features.keras")
    judge(teacher, "model.keras", facades, options, *judges)
    runs = {(name, seed): options.output / f"{name}_{seed}" for name in ("alone", "taught") for seed in options.seeds}

    def train_and_judge(run):
        (name, seed), folder = run
        if (folder / "evaluation.json").exists():
            return
        student = ["--preset", "mobile", "--average", AVERAGE, "--seed", str(seed)]
        student += ["--teacher", str(teacher)] if name == "taught" else []
        train(folder, facades, options, options.epochs, *student)
        judge(folder, "average.keras", facades, options, *judges)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(train_and_judge, runs.items()))
    rows = {"paper, the teacher": [teacher]} | {
        f"mobile, {name}": [folder for (each, _), folder in runs.items() if each == name]
        for name in ("alone", "taught")
    }
    with whole_file(options.output / "distillation.md") as temporary:
        temporary.write_text(table(rows, options), encoding="utf-8")
    print((options.output / "distillation.md").read_text(encoding="utf-8"))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("distillation"), help="default distillation")
    parser.add_argument("--image-size", type=int, default=256, choices=(32, 64, 128, 256), help="default 256")
    parser.add_argument("--teacher-epochs", type=int, default=200, help="default 200")
    parser.add_argument("--epochs", type=int, default=200, help="of the students (default 200)")
    parser.add_argument("--steps-per-epoch", type=int, default=400, help="at batch 1 (default 400: every pair once)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="default 0 1")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time, for a GPU (default 1)")
    parser.add_argument("--filters", type=int, help="of all networks, for a trial (default: the presets')")
    return parser.parse_args()


def train(folder, facades, options, epochs, *more):
    """Bring a run to its last epoch."""
    given = [str(facades / "train"), "--direction", "BtoA", "--image-size", str(options.image_size), *more]
    given += ["--epochs", str(epochs), "--steps-per-epoch", str(options.steps_per_epoch)]
    for network in ("generator", "discriminator") if options.filters else ():
        given += ["--set", f"{network}.filters={options.filters}"]
    if (folder / "evaluation.json").exists():
        return
    started = ["--resume"] if (folder / "model.keras").exists() else given
    keras_pix2pix("train", *started, "--run-dir", str(folder), log=folder.with_suffix(".log"))


def judge(folder, file, facades, options, *judges):
    keras_pix2pix("evaluate", str(folder / file), str(facades / "test"), *judges, log=folder.with_suffix(".log"))


def write_features(segmenter, file):
    network = keras.saving.load_model(segmenter)
    keras.Model(network.input, network.get_layer(FEATURES).output).save(file)


def table(rows, options):
    lines = [
        f"Facades, {options.image_size}x{options.image_size}, batch 1; teacher {options.teacher_epochs} epochs, "
        f"students {options.epochs}, of {options.steps_per_epoch} steps; seeds {', '.join(map(str, options.seeds))}.\n",
        f"| network | {' | '.join(SCORES.values())} |",
        f"|{'---|' * (len(SCORES) + 1)}",
    ]
    for name, folders in rows.items():
        scores = [json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["scores"] for folder in folders]
        found = over_seeds(
            [{key: (each[key]["value"], each[key]["standard_error"]) for key in SCORES} for each in scores]
        )
        cells = [f"{value:.4g} ± {error:.2g}" for value, error in found.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
