"""`keras-pix2pix report`."""

from typing import Annotated

import typer

from keras_pix2pix.cli.documentation import parameter_help

__all__ = ["report"]


def report(
    run: Annotated[str, typer.Argument(help=parameter_help("report.page:write_report", "run_dir"))],
):
    """Rewrite report.html of a run folder, including later exports; training writes it after epochs."""
    from keras_pix2pix import write_report

    print(write_report(run))
