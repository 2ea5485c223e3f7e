"""What is written to a terminal: no control characters out of names, no error where nobody reads, and progress."""

import contextlib
import os
import sys

__all__ = ["printable", "safe_output", "with_progress"]


def printable(text):
    """A text with control characters as escapes, but for line feeds and tabs: a name could steer the terminal."""
    return "".join(each if each.isprintable() or each in "\n\t" else _escape(each) for each in str(text))


@contextlib.contextmanager
def safe_output():
    """Within it, writing to standard output and standard error never raises, and `print` escapes control characters."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (stream and _Escaping(_Tolerant(stream)) for stream in before)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream:
                stream.flush()  # Python's own flush, at the very end, would complain.
        sys.stdout, sys.stderr = before


def with_progress(steps, number, description, least=2):
    """The same steps, with a bar while they are taken, on a terminal, if there are at least so many."""
    import rich.console  # Here, as most commands draw no bar.
    import rich.progress

    console = rich.console.Console(stderr=True)
    if not console.is_terminal or number < least:
        return steps
    return rich.progress.track(steps, total=number, description=description, console=console, transient=True)


def _escape(character):
    return character.encode("unicode_escape").decode()


class _Stream:
    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)


class _Tolerant(_Stream):
    """Drops what can't be written: nobody reads the pipe any more, or the terminal is closed."""

    def write(self, text):
        self._try(self._stream.write, text)
        return len(text)

    def flush(self):
        self._try(self._stream.flush)

    def _try(self, write, *text):
        try:
            write(*text)
        except UnicodeEncodeError as error:
            write(*(each.encode(error.encoding, "backslashreplace").decode(error.encoding) for each in text))
        except RuntimeError:
            pass  # A signal's handler writes in the middle of another write.
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


class _Escaping(_Stream):
    """What `print` writes to; rich, which writes escapes of its own, takes `rich_proxied_file`."""

    @property
    def rich_proxied_file(self):
        return self._stream

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"Text is written here. Received: {type(text).__name__}.")
        self._stream.write(printable(text))
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)
