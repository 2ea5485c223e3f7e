"""Wait for all workers before TensorFlow starts, because its own wait is silent and can't be interrupted.

The first worker listens on its port until each of the others has connected and sent its index and a digest of its
arguments; then all of them continue, and TensorFlow takes over the port.
"""

import contextlib
import hashlib
import json
import socket
import sys
import time
from collections.abc import Sequence
from typing import Any

__all__ = ["meet"]

_GREETING = b"keras_pix2pix\n"
_SAY_EVERY = 30.0  # Seconds between two lines that say which workers are missing.
_POLL = 0.2  # Seconds; Ctrl-C ends the wait within that time.
_PORT_FREE_WITHIN = 5.0  # Seconds for which a process that has ended may still hold its port.
_LONGEST_LINE = 4096
_REMEDY = "Start all workers with the same ones."


def meet(workers: Sequence[str], index: int, same: Any = None) -> None:
    """Wait until all workers, "host:port" each, have connected; raise if a port is in use, or `same` differs."""
    digest = hashlib.sha256(json.dumps(same, sort_keys=True, default=str).encode()).hexdigest()
    with contextlib.closing(_listener(workers[index])) as listener:
        if index == 0:
            _receive(listener, workers, digest)
            return
    _report_to(workers, index, digest)


def _listener(address):
    """A listening socket on this worker's port; raises if the port is in use."""
    end = time.monotonic() + _PORT_FREE_WITHIN
    while True:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.settimeout(_POLL)
        try:
            listener.bind(("", _host_and_port(address)[1]))
            listener.listen()
            return listener
        except OSError as error:
            listener.close()
            if time.monotonic() > end:
                raise ValueError(
                    f"This worker is {address} in TF_CONFIG, but its port can't be used: {error.strerror}. Stop the "
                    "program that uses it, or name another port on all workers."
                ) from error
            time.sleep(_POLL)


def _receive(listener, workers, digest):
    present, digests, waiting = {}, {}, _Waiting()
    try:
        while len(present) < len(workers) - 1:
            waiting.say([address for index, address in enumerate(workers) if index and index not in present])
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                index, digests[index] = _introduced(connection)
                if index in range(1, len(workers)):
                    present[index] = connection
                else:
                    connection.close()
            present = {index: each for index, each in present.items() if not _has_left(each)}
        different = [workers[index] for index in present if digests[index] != digest]
        reason = f"{', '.join(different)} was started with other arguments than {workers[0]}, the first worker."
        for connection in present.values():
            connection.sendall((reason if different else "go").encode() + b"\n")
            connection.recv(1)  # The other side closes first, so that this port is free immediately.
        if different:
            raise ValueError(f"{reason} {_REMEDY}")
    finally:
        for connection in present.values():
            connection.close()


def _introduced(connection):
    """Index and digest of a worker that has just connected; None and None for anything else."""
    connection.settimeout(5)
    try:
        connection.sendall(_GREETING)
        said = json.loads(_line(connection))
        return int(said["index"]), str(said["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, None


def _report_to(workers, index, digest):
    waiting = _Waiting()
    while True:
        try:
            with socket.create_connection(_host_and_port(workers[0]), timeout=5) as connection:
                if _line(connection) != _GREETING.strip():
                    raise ValueError(
                        f"Another program answers at {workers[0]}, the first worker of TF_CONFIG. End that program, "
                        "or name another port on all workers."
                    )
                connection.sendall(json.dumps({"index": index, "digest": digest}).encode() + b"\n")
                answer = _answer(connection, workers, waiting)
        except OSError as error:
            waiting.say(workers[:1], error)
            time.sleep(_POLL)
            continue
        if answer == b"go":
            return
        if answer:
            raise ValueError(f"{answer.decode(errors='replace')} {_REMEDY}")


def _answer(connection, workers, waiting):
    """The first worker's answer once all are there; empty if it has ended."""
    connection.settimeout(_POLL)
    while True:
        try:
            return _line(connection)
        except TimeoutError:
            waiting.say(["the other workers"], f"{workers[0]} is there")


def _line(connection):
    read = b""
    while not read.endswith(b"\n") and len(read) < _LONGEST_LINE:
        byte = connection.recv(1)
        if not byte:
            break
        read += byte
    return read.strip()


def _has_left(connection):
    connection.settimeout(0)
    try:
        return not connection.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(5)


def _host_and_port(address):
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


class _Waiting:
    """Prints to standard error which workers are missing: after 2 seconds, then every half minute."""

    def __init__(self):
        self.next = time.monotonic() + 2

    def say(self, whom, why=""):
        if time.monotonic() >= self.next:
            self.next = time.monotonic() + _SAY_EVERY
            print(f"Waiting for {', '.join(whom)}{f' ({why})' if why else ''}. Ctrl-C ends.", file=sys.stderr)
