"""Run an exported TFLite file where neither this package nor TensorFlow is installed.

pip install ai-edge-litert numpy pillow
python examples/run_tflite.py facades.tflite labels.png generated.png
"""

import argparse
import json
import zipfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps

MODES = {"gray": "L", "rgb": "RGB", "rgba": "RGBA", "gray16": "F", "classes": "L", "palette": "RGB"}


def main(arguments=None):
    """A picture in, a picture out, of the size that the file was exported for; of any size, the source's own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("source")
    parser.add_argument("output")
    options = parser.parse_args(arguments)
    try:
        translate(options.model, options.source).save(options.output)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        parser.error(str(error))


def translate(model, source):
    with zipfile.ZipFile(model) as archive:  # What the file is stands at its end.
        metadata = json.loads(archive.read("metadata.json"))
    encodings = [metadata[side]["encoding"] for side in ("source", "generated")]
    source_word, target_word = (encoding.partition(":")[0] for encoding in encodings)
    if source_word not in MODES or target_word not in MODES:
        raise ValueError(f"Accepted: a model from and to one of {', '.join(MODES)}. Received: {encodings}.")
    picture = ImageOps.exif_transpose(Image.open(source))
    # The colours of a palette file's class indices mean nothing.
    if not (source_word == "classes" and picture.mode == "P"):
        picture = picture.convert(MODES[source_word])
    _, height, width, _ = metadata["source"]["shape"]
    if height is not None:
        labels = source_word in ("classes", "palette")  # Between two labels lies none.
        picture = picture.resize((width, height), Image.Resampling.NEAREST if labels else Image.Resampling.BICUBIC)
    pixels = np.asarray(picture).reshape(1, picture.height, picture.width, -1)
    if source_word == "gray16":
        pixels = np.clip(np.rint(pixels), 0, 65535)
    generated = Interpreter(model, num_threads=2).get_signature_runner()(source=pixels)["generated"][0]
    generated = generated.astype("uint16") if target_word == "gray16" else generated
    return Image.fromarray(generated[..., 0] if generated.shape[-1] == 1 else generated)


if __name__ == "__main__":
    main()
