"""How large, how fast and how exact are the TFLite files, beside the network as it was trained and beside PyTorch?

Three tables in Markdown:

1. every preset in every format of `export_tflite`, untrained: megabytes, milliseconds a picture with LiteRT on one and
   two threads (medians; the files of a preset take turns), and PSNR against the Keras model on drawn label maps;
2. the paper's U-Net: the float32 file and the dynamic-range one beside the same network converted as it was trained
   (static batch of 1, transposed convolutions, no rewrite) and beside PyTorch's eager forward pass of the same network,
   `pytorch_twins.py`: all on two threads, in turns, in this process;
3. with `--model`, a run folder or .keras file trained on the facades, that model in every format on the label maps of
   the test pairs: PSNR against the Keras model, mean and least (`quantization.py --formats`).

    pip install -e .[benchmark]
    KERAS_PIX2PIX_FACADES=facades python benchmarks/tflite.py --model run
    python benchmarks/tflite.py --filters 4 --image-size 64 --runs 3

The second line is a trial of minutes. Leave the machine alone meanwhile. Ranges for int8 are taken from drawn label
maps, in the third table from the facades' training pairs. The networks of the first are untrained, so that their files
are kept however far they are from the Keras model: what training does to that, the third table shows.
"""

import argparse
import contextlib
import gc
import importlib.util
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix import Pix2Pix, export_tflite
from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.deploy import tflite
from keras_pix2pix.deploy.quantization import RECIPES
from keras_pix2pix.inference.serving import _PixelTranslation
from keras_pix2pix.quiet import quiet_native_code
from keras_pix2pix.training.presets import PRESETS

WARM_UP = 3
THREADS = (1, 2)
REPRESENTATIVE = 16
# What the ratios are asked to be at most.
TARGETS = {("none", "as trained"): 0.35, ("none", "PyTorch"): 0.6, ("dynamic", "PyTorch"): 0.2}


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory() as directory:
        print(f"{options.image_size}x{options.image_size}, {os.cpu_count()} processors, {options.runs} runs\n")
        print_formats(options, Path(directory))
        if importlib.util.find_spec("torch") is None:
            print("PyTorch isn't installed: no second table. `pip install -e .[benchmark]`", file=sys.stderr)
        else:
            print_ratios(options, Path(directory))
    if options.model:
        print_on_facades(options.model)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS), help="default: all")
    parser.add_argument("--image-size", type=int, default=256, choices=(64, 128, 256, 512), help="default 256")
    parser.add_argument("--filters", type=int, help="filters of the generators (default: the preset's)")
    parser.add_argument("--runs", type=int, default=30, help="timed runs of each file (default 30)")
    parser.add_argument("--model", help="trained on the facades: run folder or .keras file")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error(f"--runs must be 1 or more. Received: {options.runs}.")
    return options


def print_formats(options, directory):
    header = ["preset", "format", "MB", *(f"ms, {count} thread{'s' * (count > 1)}" for count in THREADS), "dB"]
    print_table_head(header)
    for name in options.presets:
        generator, parities = built(name, options), {}
        for quantization in tflite._QUANTIZATIONS:
            file = directory / f"{name}_{quantization}.tflite"
            parities[quantization] = exported(generator, file, quantization, options.image_size)
        milliseconds = {
            count: latencies(
                {each: runner(directory / f"{name}_{each}.tflite", count) for each in parities}, options.runs
            )
            for count in THREADS
        }
        for quantization, parity in parities.items():
            times = [f"{milliseconds[count][quantization]:.1f}" for count in THREADS]
            print_row([name, quantization, f"{parity.size / 1e6:.2f}", *times, f"{parity.psnr:.1f}"])
        del generator, milliseconds
        gc.collect()


def print_ratios(options, directory):
    generator = built("paper", options)
    files = {"as trained": directory / "as_trained.tflite"}
    with quiet_native_code():
        files["as trained"].write_bytes(tflite._convert(as_trained(generator, options.image_size), []))
    for quantization in ("none", "dynamic"):
        files[quantization] = directory / f"ratio_{quantization}.tflite"
        exported(generator, files[quantization], quantization, options.image_size)
    runs = {name: runner(file, 2) for name, file in files.items()}
    runs["PyTorch"] = pytorch_runner(generator, options)
    milliseconds = latencies(runs, options.runs)
    print(f"\nU-Net of {generator.count_params():,} parameters, two threads, in turns:\n")
    print_table_head(["network", "MB", "ms"])
    for name, latency in milliseconds.items():
        size = f"{files[name].stat().st_size / 1e6:.2f}" if name in files else "-"
        print_row([name, size, f"{latency:.1f}"])
    print()
    print_table_head(["ratio", "measured", "at most"])
    for (one, other), target in TARGETS.items():
        print_row([f"{one} / {other}", f"{milliseconds[one] / milliseconds[other]:.2f}", target])


def print_on_facades(model):
    import quantization

    from keras_pix2pix.runs.model import load_model

    comparison = quantization.Comparison(
        load_model(model), quantization.facades("train"), quantization.facades("test", 106)
    )
    print(f"\n{model} on {len(comparison.test)} label maps of the facades' test pairs:\n")
    print_table_head(["quantization", "MB", "dB, mean", "dB, least"])
    for name, make in comparison.formats().items():
        quantization.print_row(name, make, comparison)


def built(name, options):
    keras.utils.set_random_seed(0)
    changes = {"generator.filters": options.filters} if options.filters else {}
    shape = (options.image_size, options.image_size, 3)
    return Pix2Pix.from_preset(name, shape, schedule="constant", changes=changes).generator


def exported(generator, file, quantization, image_size):
    size = (image_size, image_size)
    pictures = {"representative": np.stack([facade(seed, size)[0] for seed in range(100, 100 + REPRESENTATIVE)])}
    options = pictures if quantization == "int8" else {}
    if quantization in RECIPES:
        options["accept"] = {"psnr": 0}
    with contextlib.redirect_stdout(sys.stderr):  # Out of the tables.
        return export_tflite(generator, file, quantization=quantization, **options)


def as_trained(generator, image_size):
    """Pixels to pixels through the network's own layers, without a rewrite."""
    source = keras.Input((image_size, image_size, 3), dtype="uint8", name="source")
    return keras.Model(source, _PixelTranslation(generator, 1, name="generated")(source))


def runner(file, threads):
    """A function without arguments that translates a picture: a random one, as labels take no longer."""
    interpreter = Interpreter(str(file), num_threads=threads)
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    interpreter.set_tensor(source["index"], np.random.default_rng(0).integers(0, 256, source["shape"], "uint8"))
    return interpreter.invoke


def pytorch_runner(generator, options):
    import pytorch_twins
    import torch

    torch.set_num_threads(2)
    num_downs = options.image_size.bit_length() - 1
    twin = pytorch_twins.UnetGenerator(
        min(num_downs, 8), filters=options.filters or 64, normalization="instance_affine"
    ).eval()
    parameters = sum(each.numel() for each in twin.parameters())
    if parameters != generator.count_params():
        raise SystemExit(f"The networks differ: {parameters:,} parameters, and {generator.count_params():,}.")
    source = torch.rand(1, 3, options.image_size, options.image_size) * 2 - 1

    def run():
        with torch.inference_mode():
            twin(source)

    return run


def latencies(runs, count):
    """Median milliseconds of each function; they take turns."""
    seconds = {name: [] for name in runs}
    for _ in range(WARM_UP + count):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: 1000 * statistics.median(each[WARM_UP:]) for name, each in seconds.items()}


def print_table_head(cells):
    print_row(cells)
    print_row(["---"] * len(cells))


def print_row(cells):
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
