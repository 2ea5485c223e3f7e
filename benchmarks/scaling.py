"""How fast is training, and with how much memory: float32 or bfloat16, with or without XLA, in 1 or 2 processes?

The paper's networks and recipe under `model.fit`, on images in memory. Two processes are two workers of
`tf.distribute.MultiWorkerMirroredStrategy` on the loopback interface, which share the machine's cores: what they show
is what dividing costs, not what a second machine gains.

    python benchmarks/scaling.py

Every variant runs in processes of its own, and all of them once in each round. A step is the time between the ends of
two successive steps. Leave the machine alone meanwhile; it takes about a quarter of an hour.

Printed, as Markdown: medians over the rounds of each process's median step, images a second by it, and the peak memory
(VmHWM of Linux) of all processes of a variant together.
"""

import argparse
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

VARIANTS = [
    {"precision": precision, "xla": xla, "processes": 1, "batch_size": batch_size}
    for precision, xla, batch_size in itertools.product(("float32", "bfloat16"), (False, True), (1, 4))
] + [
    # The smallest batch that two processes can divide, and the larger one.
    {"precision": precision, "xla": False, "processes": 2, "batch_size": batch_size}
    for precision, batch_size in itertools.product(("float32", "bfloat16"), (2, 4))
]
WARM_UP_STEPS = 3  # The first ones trace the graph, compile, and touch fresh memory.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
MEGABYTE = 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="processes of each variant (default 3)")
    parser.add_argument("--steps", type=int, default=6, help="timed steps in a process (default 6)")
    parser.add_argument("--image-size", type=int, default=256, choices=(64, 128, 256, 512), help="default 256")
    parser.add_argument("--filters", type=int, default=64, help="default 64, as in the paper")
    parser.add_argument("--variant", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.steps < 2:
        parser.error(f"At least 1 round of 2 steps. Received: {arguments.rounds} of {arguments.steps}.")
    if arguments.variant:
        print(json.dumps(measure(arguments)))
        return
    results = [[] for _ in VARIANTS]
    for number in range(1, arguments.rounds + 1):
        for variant, measured in zip(VARIANTS, results, strict=True):
            measured.append(run(variant))
            print(f"round {number}  {variant}  {measured[-1]}", file=sys.stderr, flush=True)
    print_table(results, arguments)


def run(variant):
    """{"seconds": of a step, "bytes": of all processes} of one run of a variant."""
    command = [sys.executable, __file__, *sys.argv[1:], "--variant", json.dumps(variant)]
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for environment in environments(variant["processes"])
    ]
    outputs = [process.communicate() for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit(f"{variant} failed:\n" + "\n".join(errors for _, errors in outputs))
    measured = [json.loads(printed.splitlines()[-1]) for printed, _ in outputs]
    total = None if None in [each["bytes"] for each in measured] else sum(each["bytes"] for each in measured)
    return {"seconds": statistics.median(each["seconds"] for each in measured), "bytes": total}


def environments(processes):
    if processes == 1:
        return [dict(os.environ)]
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(processes)]
    cluster = {"worker": [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]}
    for each in sockets:
        each.close()
    tasks = [{"type": "worker", "index": index} for index in range(processes)]
    return [{**os.environ, "TF_CONFIG": json.dumps({"cluster": cluster, "task": task})} for task in tasks]


def measure(arguments):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import numpy as np
    import tensorflow as tf

    from keras_pix2pix import Pix2Pix
    from keras_pix2pix.training.distribution import strategy_for

    strategy = strategy_for()
    keras.utils.set_random_seed(0)
    variant, shape = arguments.variant, (arguments.image_size, arguments.image_size, 3)
    sizes = {"generator.filters": arguments.filters, "discriminator.filters": arguments.filters}
    changes = {"compile.jit_compile": variant["xla"], **sizes}
    model = Pix2Pix.from_preset("paper", shape, precision=variant["precision"], changes=changes, strategy=strategy)
    pair = np.random.default_rng(0).uniform(-1, 1, (2, variant["batch_size"], *shape)).astype("float32")
    data = tf.data.Dataset.from_tensors(tuple(pair)).repeat(WARM_UP_STEPS + arguments.steps)
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    ends = []
    timer = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: ends.append(time.perf_counter()))
    with strategy.scope():
        model.fit(data.with_options(options), shuffle=False, verbose=0, callbacks=[timer])
    steps = [after - before for before, after in itertools.pairwise(ends)]
    return {"seconds": statistics.median(steps[WARM_UP_STEPS - 1 :]), "bytes": peak_bytes()}


def peak_bytes():
    # A child's ru_maxrss begins with what its parent had.
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    (kilobytes,) = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(kilobytes) * 1024


def print_table(results, arguments):
    size = arguments.image_size
    print(f"{size}x{size}, {arguments.filters} filters, {CORES} cores, medians of {arguments.rounds} processes\n")
    print("| precision | XLA | processes | batch | ms a step | images a second | peak memory, MB |")
    print("|---|---|---|---|---|---|---|")
    for variant, measured in zip(VARIANTS, results, strict=True):
        seconds = statistics.median(each["seconds"] for each in measured)
        peaks = [each["bytes"] for each in measured]
        peak = "-" if None in peaks else f"{statistics.median(peaks) / MEGABYTE:.0f}"
        first = f"| {variant['precision']} | {'yes' if variant['xla'] else 'no'} | {variant['processes']} "
        batch_size = variant["batch_size"]
        print(f"{first}| {batch_size} | {1000 * seconds:.0f} | {batch_size / seconds:.2f} | {peak} |")


if __name__ == "__main__":
    main()
