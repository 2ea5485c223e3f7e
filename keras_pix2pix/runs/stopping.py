"""Ctrl-C, and a scheduler's SIGTERM, in the course of a training."""

import contextlib
import signal
import sys

SIGNALS = signal.SIGINT, signal.SIGTERM


@contextlib.contextmanager
def stopping_after_a_step(checkpoint):
    """In this block, Ctrl-C saves the step under way before it stops; a second Ctrl-C stops at once.

    Args:
        checkpoint: A `callbacks.Checkpoint` of the training in the block.

    Raises:
        KeyboardInterrupt: After one of the signals, out of the block.

    Example:

    ```python
    from keras_pix2pix import callbacks
    from keras_pix2pix.runs.stopping import stopping_after_a_step

    with stopping_after_a_step(callbacks.Checkpoint("run/model.keras")):
        pass  # model.fit(...)
    ```
    """

    def stop(number, frame):
        checkpoint.stop()
        for each in SIGNALS:
            signal.signal(each, signal.default_int_handler)
        print("\nStopping after this step. Ctrl-C once more stops at once.", file=sys.stderr, flush=True)

    before = {}
    with contextlib.suppress(ValueError):  # Only the main thread may set handlers.
        before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
