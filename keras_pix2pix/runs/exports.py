"""Exports of a run in its report."""

import sys

from keras_pix2pix.run_folder import RunFolder

__all__ = ["show_in_report"]


def show_in_report(parity, run):
    """Keep the verdict on an export in the run's folder, and write its report again."""
    from keras_pix2pix import write_report  # Here, because its plotting takes a while to import.
    from keras_pix2pix.deploy.verdict import copy_verdict

    folder = RunFolder.of(run)
    try:
        copy_verdict(parity.path, folder.exports)
        write_report(folder.path)
    except OSError as error:
        print(f"{parity.path} is written, but the report of {folder.path} doesn't show it: {error}", file=sys.stderr)
