"""How does one train on several machines? Here two processes of one machine stand for them.

    python examples/two_workers.py facades/train --directory run

Each machine runs the same program with TF_CONFIG in its environment, which names all of them and says which it is.
Called again, it resumes from the last whole epoch.
"""

import argparse
import json
import os
import socket
import subprocess
import sys

WORKERS = 2


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", help="folder of side-by-side files")
    parser.add_argument("--directory", default="run", help="folder that receives model.keras")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--filters", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args(arguments)
    if "TF_CONFIG" in os.environ:
        return train(options)
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(WORKERS)]
    cluster = {"worker": [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]}
    for each in sockets:
        each.close()
    command = [sys.executable, __file__, *(arguments or sys.argv[1:])]
    tasks = [json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}) for index in range(WORKERS)]
    workers = [subprocess.Popen(command, env={**os.environ, "TF_CONFIG": task}) for task in tasks]
    if any([worker.wait() for worker in workers]):
        raise SystemExit("A worker stopped. Call this again to resume.")


def train(options):
    from keras_pix2pix import callbacks, fit_on_workers, paired_dataset, patchgan_discriminator, unet_generator

    def build_networks():
        shape = (options.size, options.size, 3)
        return unet_generator(shape, filters=options.filters), patchgan_discriminator(shape, filters=options.filters)

    def fit(model, directory):
        # The batch is divided among the workers.
        done, _ = callbacks.resume_point(model)
        data = {"image_size": options.size, "batch_size": WORKERS, "direction": "BtoA", "initial_epoch": done}
        dataset = paired_dataset(options.pairs, **data)
        checkpoint = callbacks.Checkpoint(directory / "model.keras")
        model.fit(dataset, epochs=options.epochs, initial_epoch=done, shuffle=False, callbacks=[checkpoint])

    weights = f"{options.directory}/model.keras"
    fit_on_workers(build_networks, lambda model: model.compile(), fit, options.directory, weights=weights)


if __name__ == "__main__":
    main()
