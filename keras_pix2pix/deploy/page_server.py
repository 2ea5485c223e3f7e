"""A local web server for one folder, which `keras-pix2pix demo` uses to show its page."""

import contextlib
import errno
import math
import os
import socket
import sys
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["HERE", "page_server"]

HERE = "127.0.0.1"
_MOST_CONNECTIONS = 32  # A browser opens six.
_PAUSE = 0.1  # Seconds.
# The system's own table lacks some of these on some machines.
_TYPES = {
    "": "application/octet-stream",
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".wasm": "application/wasm",
}
_HEADERS = {
    # Together they allow threads in WebAssembly.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A new export must show up at the next reload.
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def page_server(directory: str | Path, port: int = 0) -> ThreadingHTTPServer:
    """A server of the files of one folder, for browsers on this computer only; call `serve_forever` to start it.

    Folders aren't listed, and no path, link or host name leads out of the folder. A connection is closed if no request
    arrives, or no answer is read, for 10 seconds; while 32 are open, others wait.

    Args:
        directory: Folder with an `index.html`.
        port: Number of the port, 0 to 65535. Defaults to 0: any free one.

    Returns:
        A `ThreadingHTTPServer` that is already listening on its `server_port`.

    Raises:
        ValueError: Not a port number, or the port is in use.

    Example:

    ```python
    from keras_pix2pix.deploy.page_server import page_server

    with page_server(".") as server:
        address = f"http://127.0.0.1:{server.server_port}/"
    ```
    """
    if not 0 <= port <= 65535:
        raise ValueError(f"A port is a number from 0 to 65535. Received: {port}. Choose another; 0 takes any free one.")
    root = Path(directory).resolve()
    try:
        return _Server((HERE, port), lambda *arguments: _Handler(*arguments, directory=root))
    except OSError as error:
        raise ValueError(
            f"Port {port} of {HERE} can't be used: {error.strerror}. Choose another; 0 takes any free one."
        ) from error


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # An open connection must not keep the program from ending.

    def __init__(self, *arguments):
        self.deadlines = {}  # By open connection: when the request being read must be complete.
        super().__init__(*arguments)

    def get_request(self):
        # The connection stays in the system's queue; without a pause the loop would spin.
        try:
            if len(self.deadlines) >= _MOST_CONNECTIONS:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return super().get_request()
        except OSError:
            time.sleep(_PAUSE)
            raise

    def verify_request(self, request, client_address):
        self.deadlines[request] = math.inf
        return True

    def service_actions(self):
        for request, deadline in list(self.deadlines.items()):
            if time.monotonic() > deadline:
                with contextlib.suppress(OSError):  # It has just been closed.
                    request.shutdown(socket.SHUT_RDWR)

    def close_request(self, request):
        self.deadlines.pop(request, None)
        super().close_request(request)

    def handle_error(self, request, client_address):
        # Browsers drop connections when the user leaves a page.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    extensions_map = _TYPES
    timeout = 10  # Seconds for one request to arrive, and for each part of the answer to be read.

    def handle_one_request(self):
        # The socket's own timeout restarts with each byte.
        self.server.deadlines[self.request] = time.monotonic() + self.timeout
        super().handle_one_request()

    def parse_request(self):
        complete = super().parse_request()
        self.server.deadlines[self.request] = math.inf
        return complete

    def send_head(self):
        # Against DNS rebinding: a foreign host name may resolve to this address, but the browser still sends that name.
        # The port is missing if it is 80.
        if self.headers.get("Host", "").partition(":")[0].lower() not in (HERE, "localhost"):
            return self.send_error(403, f"This server answers to {HERE} only")
        return super().send_head()

    def translate_path(self, path):
        """The file to open, with all links resolved; "" if it doesn't exist or is outside the folder."""
        path = super().translate_path(path)
        try:
            file = Path(os.path.realpath(os.path.join(path, "index.html") if path.endswith("/") else path))
            return str(file) if file.is_relative_to(self.directory) and file.is_file() else ""
        except (OSError, ValueError):  # Not a possible file name, such as %00.
            return ""

    def end_headers(self):
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *arguments):
        pass
