"""Output to a terminal: escaped control characters, no errors when nobody reads it, and progress bars."""

import contextlib
import os
import sys

__all__ = ["printable", "safe_output", "with_progress"]


def printable(text):
    """A text with control characters escaped, except line feeds and tabs: a name could control the terminal."""
    return "".join(each if each.isprintable() or each in "\n\t" else _escape(each) for each in str(text))


@contextlib.contextmanager
def safe_output():
    """Within this context, writing to stdout and stderr never raises, and `print` escapes control characters."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (stream and _Escaping(_Tolerant(stream)) for stream in before)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream:
                stream.flush()  # Python's own flush on exit would report an error.
        sys.stdout, sys.stderr = before


def with_progress(steps, number, description, least=2):
    """The same steps, with a progress bar on a terminal if there are at least `least`."""
    import rich.console  # Here, because most commands draw no bar.
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
    """Drops output that can't be written, because the pipe's reader or the terminal is gone."""

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
            pass  # A signal handler writes during another write.
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


class _Escaping(_Stream):
    """The stream for `print`; rich, which writes its own escapes, uses `rich_proxied_file`."""

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
