"""Run an exported TFLite file where neither this package nor TensorFlow is installed.

pip install ai-edge-litert numpy pillow
python examples/run_tflite.py facades.tflite labels.png generated.png
"""

import argparse

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image


def main(arguments=None):
    """Pixels in, pixels out: uint8 of the size that the file was exported for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("source")
    parser.add_argument("output")
    options = parser.parse_args(arguments)

    interpreter = Interpreter(options.model, num_threads=2)
    _, height, width, _ = interpreter.get_input_details()[0]["shape"]
    source = Image.open(options.source).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    translate = interpreter.get_signature_runner()
    generated = translate(source=np.asarray(source)[np.newaxis])["generated"]
    Image.fromarray(generated[0]).save(options.output)


if __name__ == "__main__":
    main()
