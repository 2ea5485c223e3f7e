"""What callbacks and run folders keep in a model's file beside the model."""

import json
import zipfile
from collections import UserDict

import h5py
import numpy as np

WEIGHTS_FILE = "model.weights.h5"  # Keras' name for it in a `.keras` file.
NAME = "records"


class Records(UserDict):
    """JSON values by name. Not a `dict`, which Keras would wrap into something that isn't JSON."""

    def write(self, store):
        """Put them into what `save_own_variables` is given."""
        if self.data:
            store[NAME] = np.frombuffer(json.dumps(self.data).encode(), np.uint8)

    @classmethod
    def read(cls, store):
        """What `write` has put there."""
        found = json.loads(bytes(np.asarray(store[NAME]))) if NAME in store.keys() else {}  # noqa: SIM118
        if not isinstance(found, dict):
            raise ValueError(f"The records in a model's file must be a JSON object. Received: {type(found).__name__}.")
        return cls(found)


def read_records(file):
    """The records in a `.keras` file, without TensorFlow; none where the file is missing or can't be read."""
    try:
        with zipfile.ZipFile(file) as archive, archive.open(WEIGHTS_FILE) as opened, h5py.File(opened) as weights:
            return Records.read(weights.get("vars", {}))
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile):
        return Records()
