"""Handles Ctrl-C, and SIGTERM from a scheduler, during training."""

import contextlib
import signal
import sys

__all__ = ["stopping_after_a_step"]

_SIGNALS = [signal.SIGINT, signal.SIGTERM]
_HANGUP = getattr(signal, "SIGHUP", None)  # Sent when the terminal is closed; Windows has none.


@contextlib.contextmanager
def stopping_after_a_step(checkpoint):
    """Within this context, a signal makes a `callbacks.Checkpoint` save after this step and raise KeyboardInterrupt.

    A second Ctrl-C or SIGTERM stops immediately.
    """

    def stop(number, frame):
        checkpoint.stop()
        for each in _SIGNALS:
            signal.signal(each, signal.default_int_handler)
        if _HANGUP in before:
            signal.signal(_HANGUP, signal.SIG_IGN)  # It often comes twice, from the terminal and from the shell.
        print("\nStopping after this step. Ctrl-C once more stops at once.", file=sys.stderr, flush=True)

    before = {}
    with contextlib.suppress(ValueError):  # Only the main thread may set handlers.
        for number in _SIGNALS if _HANGUP is None or _is_ignored(_HANGUP) else [*_SIGNALS, _HANGUP]:
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_ignored(number):
    return signal.getsignal(number) is signal.SIG_IGN  # As under nohup.
