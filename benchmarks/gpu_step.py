"""How long is one training step on a GPU, by XLA, steps per execution, precision and batch size, beside PyTorch?

The paper's networks and recipe on images in memory. Each side is a process of its own, which builds its networks,
compiles and warms up while the others do the same; then they are timed in turns, in several rounds, with the others
waiting. PyTorch's step is that of `pytorch_twins.py`, with its fused Adam, eager and compiled
(`mode="reduce-overhead"`, which records CUDA graphs).

    pip install -e .[gpu,benchmark]
    python benchmarks/gpu_step.py
    python benchmarks/gpu_step.py --sides default train --steps 20

Every side keeps its memory to the end, about 5 GB of a GPU: choose `--sides` that fit together.

Printed, as Markdown: medians over the rounds, and how long the first step took. `--xla-flags` adds a side like "train"
with flags of XLA. A side that fails says so in the table's place.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

OURS = {
    "graph": {"jit_compile": False},
    "default": {},
    "train": {"steps_per_execution": 10},
    "train, bfloat16": {"steps_per_execution": 10, "precision": "bfloat16"},
    "train, float16": {"steps_per_execution": 10, "precision": "float16"},
    "train, batch 16": {"steps_per_execution": 10, "batch_size": 16},
    "train, bfloat16, batch 16": {"steps_per_execution": 10, "precision": "bfloat16", "batch_size": 16},
}
PYTORCH = {
    "PyTorch, eager": {},
    "PyTorch, compiled": {"compiled": True},
    "PyTorch, compiled, bfloat16": {"compiled": True, "bfloat16": True},
    "PyTorch, compiled, batch 16": {"compiled": True, "batch_size": 16},
    "PyTorch, compiled, bfloat16, batch 16": {"compiled": True, "bfloat16": True, "batch_size": 16},
}
WARM_UP_STEPS = 30


def main():
    options = parse_arguments()
    if options.side:
        answer(options)
        return
    processes = {side: start(side, options) for side in options.sides}
    processes |= {f"train, {flags}": start("train", options, flags) for flags in options.xla_flags}
    first_steps = {side: read(process) for side, process in processes.items()}
    seconds = {side: [] for side in processes}
    for _ in range(options.rounds):
        for side, process in processes.items():
            if first_steps[side] is not None:
                print("go", file=process.stdin, flush=True)
                seconds[side].append(read(process))
    print_table(first_steps, seconds, options)
    for process in processes.values():
        process.kill()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sides = {**OURS, **PYTORCH}
    parser.add_argument("--sides", nargs="+", choices=sides, default=list(sides), metavar="SIDE", help="default: all")
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    parser.add_argument("--steps", type=int, default=200, help="timed steps in a round (default 200)")
    parser.add_argument("--image-size", type=int, default=256, choices=(64, 128, 256), help="default 256")
    parser.add_argument("--filters", type=int, default=64, help="default 64, as in the paper")
    parser.add_argument("--xla-flags", action="append", default=[], metavar="FLAGS", help="as in XLA_FLAGS; repeatable")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    return parser.parse_args()


def start(side, options, flags=""):
    """The process of one side, which prints how long its first step took, and then waits for "go"."""
    environment = {**os.environ, "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    environment["XLA_FLAGS"] = f"{environment.get('XLA_FLAGS', '')} {flags}".strip()
    command = [sys.executable, __file__, "--side", side]
    for name in ("steps", "image_size", "filters"):
        command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def read(process):
    """The next number that a side prints; None if it has ended."""
    for line in process.stdout:
        if line.startswith("seconds "):
            return json.loads(line.split()[1])
    return None


def answer(options):
    """Be one side: time the first step, warm up, and then a number of steps for each "go"."""
    side = options.side
    run = our_side(options, **OURS[side]) if side in OURS else pytorch_side(options, **PYTORCH[side])
    begin = time.perf_counter()
    run(10)  # At most ten are executed at a time.
    print("seconds", time.perf_counter() - begin, flush=True)
    run(WARM_UP_STEPS)
    for _ in sys.stdin:
        begin = time.perf_counter()
        run(options.steps)
        print("seconds", (time.perf_counter() - begin) / options.steps, flush=True)


def our_side(options, *, batch_size=1, precision="float32", **compiling):
    """A function of a number of steps that trains our model for as many under `fit`."""
    import tensorflow as tf

    from keras_pix2pix import Pix2Pix

    changes = {f"compile.{name}": value for name, value in compiling.items()}
    changes |= {"generator.filters": options.filters, "discriminator.filters": options.filters}
    image_shape = (options.image_size, options.image_size, 3)
    model = Pix2Pix.from_preset("paper", image_shape, precision=precision, changes=changes)
    images = tf.random.uniform((2, batch_size, *image_shape), -1, 1, seed=0)
    dataset = tf.data.Dataset.from_tensors((images[0], images[1])).repeat().prefetch(2)
    return lambda steps: model.fit(dataset, steps_per_epoch=steps, shuffle=False, verbose=0)


def pytorch_side(options, *, batch_size=1, compiled=False, bfloat16=False):
    """The same in PyTorch."""
    import pytorch_twins
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    device = "cuda" if torch.cuda.is_available() else "cpu"
    num_downs = (options.image_size & -options.image_size).bit_length() - 1
    networks = [
        pytorch_twins.UnetGenerator(num_downs, filters=options.filters, normalization="instance_affine"),
        pytorch_twins.NLayerDiscriminator(filters=options.filters, normalization="instance_affine"),
    ]
    networks = [network.to(device, memory_format=torch.channels_last) for network in networks]
    called = [torch.compile(network, mode="reduce-overhead") for network in networks] if compiled else networks
    train_step = pytorch_twins.training_step(*called, fused=True)
    images = torch.rand(2, batch_size, 3, options.image_size, options.image_size, device=device) * 2 - 1
    images = [each.contiguous(memory_format=torch.channels_last) for each in images]

    def run(steps):
        for _ in range(steps):
            if compiled:
                torch.compiler.cudagraph_mark_step_begin()
            with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
                losses = train_step(*images)
        float(losses["d_loss"])  # Waits for the device.

    return run


def print_table(first_steps, seconds, options):
    print(f"{options.image_size}x{options.image_size}, median of {options.rounds} rounds of {options.steps} steps\n")
    print("| side | ms a step | first steps, s |\n|---|---|---|")
    for side, measured in seconds.items():
        finished = [each for each in measured if each is not None]
        figures = f"{1000 * statistics.median(finished):.2f} | {first_steps[side]:.0f}" if finished else "failed | -"
        print(f"| {side} | {figures} |")


if __name__ == "__main__":
    main()
