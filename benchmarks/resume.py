"""Does a run that is killed twice and resumed end like one that is left alone?

Trains the paper's networks on the facades by the command line, once without interruption, and once more with the same
seed, killed by SIGKILL at two random moments. Prints the digests of both `model.keras`: of every array in them, which
are the weights, both optimizers and the state of dropout. Ends with exit code 1 if they differ.

    KERAS_PIX2PIX_FACADES=facades python benchmarks/resume.py

The folder holds `train` and `test`.
"""

import argparse
import csv
import hashlib
import io
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np

MODEL_FILE = "model.keras"
TIMED = "_per_second"  # Columns of the history that no two runs share end so.
PATIENCE = 1800  # Seconds.


def arrays_of(model_file):
    """Every array of a `.keras` file, by name: weights, optimizers, the state of dropout, the place in the run.

    Not the records beside them, which name the run.
    """
    arrays = {}

    def keep(name, item):
        if isinstance(item, h5py.Dataset) and name != "vars/records":
            arrays[name] = np.asarray(item)

    with zipfile.ZipFile(model_file) as archive:
        h5py.File(io.BytesIO(archive.read("model.weights.h5"))).visititems(keep)
    return arrays


def digest(model_file):
    """SHA-256 of the names and the bytes of all arrays."""
    total = hashlib.sha256()
    for name, array in sorted(arrays_of(model_file).items()):
        total.update(f"{name} {array.dtype} {array.shape} ".encode() + array.tobytes())
    return total.hexdigest()


def history_of(run_dir):
    """The rows of `history.csv`, without what was timed."""
    with open(run_dir / "history.csv", encoding="utf-8", newline="") as opened:
        return [{name: row[name] for name in row if not name.endswith(TIMED)} for row in csv.DictReader(opened)]


def start(run_dir, options, output):
    """A process that starts the run, or resumes it."""
    begun = (run_dir / "config.json").exists()
    program = [sys.executable, "-m", "keras_pix2pix", "train", "--run-dir", run_dir]
    return subprocess.Popen([*map(str, program), *(["--resume"] if begun else options)], stdout=output, stderr=output)


def finish(run_dir, options, log):
    """Train to the end."""
    code = start(run_dir, options, log).wait()
    if code:
        raise RuntimeError(f"Training ended with exit code {code}.\n{_end_of(log)}")


def kill(run_dir, options, log, renewals, seconds, output=None):
    """Start or resume, and kill the process so many seconds after its so manieth checkpoint; (epochs, steps) saved."""
    process = start(run_dir, options, log if output is None else output)
    last, deadline = _stamp(run_dir / MODEL_FILE), time.monotonic() + PATIENCE
    while renewals and process.poll() is None and time.monotonic() < deadline:
        stamp = _stamp(run_dir / MODEL_FILE)
        renewals -= stamp != last
        last = stamp
        time.sleep(0.002)
    time.sleep(seconds)
    process.kill()
    if process.wait() != -9:
        raise RuntimeError(f"Training had ended before it was killed. Give it more epochs.\n{_end_of(log)}")
    if not (run_dir / MODEL_FILE).exists():
        return 0, 0
    epochs, steps, _ = arrays_of(run_dir / MODEL_FILE)["vars/progress"]
    return int(epochs), int(steps)


def _end_of(log):
    return Path(log.name).read_text(encoding="utf-8", errors="replace")[-2000:]


def _stamp(path):
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def main(arguments=None):
    """Train twice, kill one of the two runs, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument("--filters", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--steps-per-epoch", type=int, default=100)
    parser.add_argument("--checkpoint-every", type=int, default=30)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="Of the moments of the kills.")
    given = parser.parse_args(arguments)
    facades = os.environ.get("KERAS_PIX2PIX_FACADES")
    if not facades:
        print("Skipped: KERAS_PIX2PIX_FACADES names no folder with the facades' `train` and `test`.")
        return
    options = [Path(facades) / "train", "--validation", Path(facades) / "test", "--direction", "BtoA"]
    for name in ("image-size", "epochs", "steps-per-epoch", "checkpoint-every"):
        options += [f"--{name}", getattr(given, name.replace("-", "_"))]
    for network in ("generator", "discriminator"):
        options += ["--set", f"{network}.filters={given.filters}"]
    options = [str(option) for option in options]

    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        alone, killed = Path(folder) / "alone", Path(folder) / "killed"
        with open(Path(folder) / "log.txt", "w") as log:
            finish(alone, options, log)
            for number in range(1, given.kills + 1):
                place = kill(killed, options, log, chance.randint(2, 3), chance.uniform(0, 5))
                print(f"kill {number}: resumes from epoch {place[0]}, step {place[1]}", flush=True)
            finish(killed, options, log)
        digests = [digest(run_dir / MODEL_FILE) for run_dir in (alone, killed)]
        same_history = history_of(alone) == history_of(killed)
    print(f"left alone  {digests[0]}\nkilled      {digests[1]}")
    print(f"histories {'equal' if same_history else 'DIFFERENT'}")
    sys.exit(0 if digests[0] == digests[1] and same_history else 1)


if __name__ == "__main__":
    main()
