"""How long is one training step, beside the same step in PyTorch?

Measured: the paper's networks and recipe at batch 1 in float32, on images in memory, on the CPU. Our side is
`Pix2Pix.from_preset("paper")` under `model.fit`, logs and callbacks included. PyTorch's is a plain loop over the same
networks, from `pytorch_twins.py`: the discriminator on the detached picture, its loss halved; then the generator
against the updated discriminator, one generator pass for both; stock `torch.optim.Adam`, as the published programs have
it, and with `fused=True`, as our preset's Adam is.

    pip install -e .[benchmark]
    python benchmarks/train_step.py

Every side runs in processes of its own, one after the other: keras, torch, torch-fused, keras, torch and so on. They
inherit the environment, and with it the same malloc settings. A step is the time between the ends of two successive
steps. Leave the machine alone meanwhile.

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
import time
from functools import partial

WARM_UP_STEPS = 5  # The first ones trace the graph, choose kernels and touch fresh memory.
# TensorFlow, too, counts the cores that this process may use.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
IMAGES = 8
SEED = 0
PARAMETERS_AT_256 = {"generator": 54_413_955, "discriminator": 2_768_705}
MALLOC_PREFIXES = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")


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
    malloc = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith(MALLOC_PREFIXES)]
    print(
        f"{arguments.image_size}x{arguments.image_size}, batch 1, float32, {CORES} cores; "
        f"median of {arguments.steps} steps after {WARM_UP_STEPS} of warm-up\n"
        f"malloc settings, the same for both: {' '.join(malloc) or 'none in the environment'}"
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
    # TensorFlow's greetings are kept from the screen, but not an error.
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        raise SystemExit(f"The {side} side failed:\n{finished.stderr}")
    return json.loads(finished.stdout.splitlines()[-1])


def print_summary(results, image_size):
    print("\nmedian of medians")
    for side, measured in results.items():
        print(f"{side:11}  {described(measured)}  ({measured[0]['versions']})")
    for side, measured in results.items():
        if side != "keras":
            print(f"keras/{side}  {median_seconds(results['keras']) / median_seconds(measured):.3f}")
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


def keras_side(image_size, steps):
    import keras
    import tensorflow as tf

    from keras_pix2pix import Pix2Pix

    class StepEnds(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.seconds = []

        def on_train_batch_end(self, batch, logs=None):
            self.seconds.append(time.perf_counter())

    keras.utils.set_random_seed(SEED)
    model = Pix2Pix.from_preset("paper", image_shape=(image_size, image_size, 3))
    images = tf.random.uniform((2, IMAGES, image_size, image_size, 3), -1, 1, seed=SEED)
    dataset = tf.data.Dataset.from_tensor_slices((images[0], images[1])).batch(1).repeat().prefetch(1)
    step_ends = StepEnds()
    model.fit(dataset, steps_per_epoch=WARM_UP_STEPS + steps, shuffle=False, verbose=0, callbacks=[step_ends])
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
        "generator": pytorch_twins.UnetGenerator(num_downs, normalization="instance_affine"),
        "discriminator": pytorch_twins.NLayerDiscriminator(normalization="instance_affine"),
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


SIDES = {"keras": keras_side, "torch": torch_side, "torch-fused": partial(torch_side, fused=True)}


if __name__ == "__main__":
    main()
