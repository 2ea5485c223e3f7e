"""How long is one training step, beside the same step in PyTorch?

Measured: the paper's networks and recipe at batch 1 in float32, on the CPU. Our sides:

- keras: `Pix2Pix.from_preset("paper")` under `model.fit`, on images in memory;
- train: what `keras-pix2pix train` runs: pairs read from files and jittered, all its callbacks, repeatable operations.

PyTorch's are a plain loop over images in memory and the published networks with their batch norm, from
`pytorch_twins.py`: the discriminator on the detached picture, its loss halved; then the generator against the updated
discriminator, one generator pass for both:

- published: stock `torch.optim.Adam`, as the published programs have it;
- tuned: `fused=True`, and a heap that keeps what is freed.

    pip install -e .[benchmark]
    python benchmarks/train_step.py

Every side runs in processes of its own, one after the other: keras, train, published, tuned, keras and so on. A step is
the time between the ends of two successive steps. Leave the machine alone meanwhile.

Printed: each process's median step time and peak memory; each side's median of medians; ours divided by each, under 1
where ours is faster; and the numbers of parameters, which must agree, or the script fails. Without PyTorch it exits
with code 2.
"""

import argparse
import importlib.util
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial

WARM_UP_STEPS = 5  # The first ones trace the graph, choose kernels and touch fresh memory.
# TensorFlow, too, counts the cores that this process may use.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
IMAGES = 8
SEED = 0
PARAMETERS_AT_256 = {"generator": 54_413_955, "discriminator": 2_768_705}
KEPT_HEAP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**33)}  # Settings of glibc.


def main():
    arguments = parse_arguments()
    if arguments.side:
        print(json.dumps(SIDES[arguments.side](arguments.image_size, arguments.steps)))
        return
    if importlib.util.find_spec("torch") is None:
        print(
            "PyTorch isn't installed, so there is nothing to compare with. Install it with "
            "`pip install -e .[benchmark]`.",
            file=sys.stderr,
        )
        raise SystemExit(2)
    print(
        f"{arguments.image_size}x{arguments.image_size}, batch 1, float32, {CORES} cores; "
        f"median of {arguments.steps} steps after {WARM_UP_STEPS} of warm-up"
    )
    results = {side: [] for side in SIDES}
    for number in range(1, arguments.rounds + 1):
        for side, measured in results.items():
            measured.append(run_side(side, arguments.image_size, arguments.steps))
            print(f"round {number}  {side:11}  {described(measured[-1:])}", flush=True)
    print_summary(results, arguments.image_size)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="processes of each side (default 3)")
    parser.add_argument("--steps", type=int, default=20, help="timed steps in a process (default 20)")
    parser.add_argument("--image-size", type=int, default=256, choices=(64, 128, 256, 512), help="default 256")
    parser.add_argument("--side", choices=tuple(SIDES), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.steps < 1:
        parser.error(f"--rounds and --steps must be 1 or more. Received: {arguments.rounds} and {arguments.steps}.")
    return arguments


def run_side(side, image_size, steps):
    command = [sys.executable, __file__, "--side", side, "--image-size", str(image_size), "--steps", str(steps)]
    environment = {**os.environ, **KEPT_HEAP} if side == "tuned" else None
    # TensorFlow's greetings are kept from the screen, but not an error.
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    if finished.returncode:
        raise SystemExit(f"The {side} side failed:\n{finished.stderr}")
    return json.loads(finished.stdout.splitlines()[-1])


def print_summary(results, image_size):
    print("\nmedian of medians")
    for side, measured in results.items():
        print(f"{side:11}  {described(measured)}  ({measured[0]['versions']})")
    for ours, theirs in itertools.product(("keras", "train"), ("published", "tuned")):
        print(f"{ours}/{theirs}  {median_seconds(results[ours]) / median_seconds(results[theirs]):.3f}")
    counts = {side: measured[0]["parameters"] for side, measured in results.items()}
    expected = PARAMETERS_AT_256 if image_size == 256 else counts["keras"]
    if any(each != expected for each in counts.values()):
        raise SystemExit(f"The sides must train the same networks, of {expected} parameters. Received: {counts}.")
    print("parameters of all:", ", ".join(f"{network} {count:,}" for network, count in expected.items()))


def described(measured):
    memory = statistics.median(each["peak_bytes"] for each in measured)
    return f"{1000 * median_seconds(measured):7.1f} ms a step, peak memory {memory / 2**20:5.0f} MiB"


def median_seconds(measured):
    return statistics.median(each["median_seconds"] for each in measured)


def keras_side(image_size, steps, *, as_train=False):
    import keras
    import tensorflow as tf

    from keras_pix2pix import Pix2Pix, callbacks, paired_dataset
    from keras_pix2pix.data.synthetic import write_facades

    class StepEnds(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.seconds = []

        def on_train_batch_end(self, batch, logs=None):
            self.seconds.append(time.perf_counter())

    keras.utils.set_random_seed(SEED)
    step_ends = StepEnds()
    with tempfile.TemporaryDirectory() as folder:
        if as_train:
            tf.config.experimental.enable_op_determinism()
            write_facades(f"{folder}/pairs", IMAGES, image_size=(image_size, image_size))
            dataset = paired_dataset(f"{folder}/pairs", image_size=image_size, repeat=True)
            shown = paired_dataset(f"{folder}/pairs", image_size=image_size, training=False)
            watching = callbacks.for_run(f"{folder}/run", shown)
        else:
            images = tf.random.uniform((2, IMAGES, image_size, image_size, 3), -1, 1, seed=SEED)
            dataset = tf.data.Dataset.from_tensor_slices((images[0], images[1])).batch(1).repeat().prefetch(1)
            watching = []
        model = Pix2Pix.from_preset("paper", image_shape=(image_size, image_size, 3))
        model.fit(
            dataset,
            steps_per_epoch=WARM_UP_STEPS + steps,
            shuffle=False,
            verbose=0,
            callbacks=[step_ends, *watching],
        )
    networks = {"generator": model.generator, "discriminator": model.discriminator}
    counts = {
        name: sum(variable.shape.num_elements() for variable in network.trainable_variables)
        for name, network in networks.items()
    }
    return result(step_ends.seconds, counts, f"keras {keras.__version__}, tensorflow {tf.__version__}")


def torch_side(image_size, steps, *, fused=False):
    import pytorch_twins
    import torch

    torch.set_num_threads(CORES)
    torch.manual_seed(SEED)
    # As many halvings as the size allows, up to the eight that take 256x256 to 1x1.
    num_downs = min(8, (image_size & -image_size).bit_length() - 1)
    networks = {
        "generator": pytorch_twins.UnetGenerator(num_downs),
        "discriminator": pytorch_twins.NLayerDiscriminator(),
    }
    train_step = pytorch_twins.training_step(**networks, fused=fused)
    images = torch.rand(2, IMAGES, 1, 3, image_size, image_size) * 2 - 1
    step_ends = []
    for step in range(WARM_UP_STEPS + steps):
        train_step(images[0, step % IMAGES], images[1, step % IMAGES])
        step_ends.append(time.perf_counter())
    counts = {name: sum(parameter.numel() for parameter in network.parameters()) for name, network in networks.items()}
    return result(step_ends, counts, f"torch {torch.__version__}")


def result(step_ends, counts, versions):
    durations = [after - before for before, after in itertools.pairwise(step_ends)]
    # Kilobytes everywhere but on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "median_seconds": statistics.median(durations[WARM_UP_STEPS - 1 :]),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        "parameters": counts,
        "versions": versions,
    }


SIDES = {
    "keras": keras_side,
    "train": partial(keras_side, as_train=True),
    "published": torch_side,
    "tuned": partial(torch_side, fused=True),
}


if __name__ == "__main__":
    main()
