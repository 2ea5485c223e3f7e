"""How workers meet: all there, or a message on each."""

import contextlib
import hashlib
import json
import socket
import threading
import time

import pytest

from keras_pix2pix.training import meeting
from keras_pix2pix.training.meeting import meet


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(meeting, "_PORT_FREE_WITHIN", 0.3)
    monkeypatch.setattr(meeting, "_POLL", 0.02)


@pytest.fixture
def workers():
    """Addresses of three free ports."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


class Worker(threading.Thread):
    """One that meets the others in the background; `ended` is "met", or what was raised."""

    def __init__(self, *arguments):
        super().__init__(daemon=True)
        self.arguments, self.ended = arguments, None
        self.start()

    def run(self):
        try:
            meet(*self.arguments)
            self.ended = "met"
        except ValueError as error:
            self.ended = str(error)

    def end(self):
        self.join(10)
        return self.ended


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_workers_meet_in_any_order_and_nobody_goes_on_alone(workers, order):
    early = [Worker(workers, index, {"seed": 1}) for index in order[:2]]
    time.sleep(0.3)
    assert [each.ended for each in early] == [None, None]
    assert [each.end() for each in (Worker(workers, order[2], {"seed": 1}), *early)] == ["met"] * 3
    for address in workers:  # TensorFlow takes the ports over.
        with socket.create_server(("127.0.0.1", int(address.split(":")[1]))):
            pass


def test_other_arguments_end_every_worker_in_a_message(workers):
    ended = [Worker(workers, index, {"seed": index // 2}) for index in range(3)]
    for worker in ended:
        assert f"{workers[2]} was started with other arguments" in worker.end()


@pytest.mark.parametrize("index", [0, 1])
def test_a_port_that_is_taken_is_a_message_on_both_sides(workers, index):
    with socket.create_server(("127.0.0.1", int(workers[index].split(":")[1]))) as server:

        def speak():
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].sendall(b"220 another program\n")

        threading.Thread(target=speak, daemon=True).start()
        first, second = (Worker(workers[:2], each) for each in (index, 1 - index))
        assert workers[index] in first.end()
        assert "port" in first.ended
        if index == 0:
            assert f"Another program answers at {workers[0]}" in second.end()


def test_a_worker_that_leaves_before_all_are_there_is_waited_for_again(workers):
    first = Worker(workers, 0)
    time.sleep(0.3)
    with socket.create_connection(("127.0.0.1", int(workers[0].split(":")[1]))) as connection:
        digest = hashlib.sha256(b"null").hexdigest()
        connection.sendall(json.dumps({"index": 1, "digest": digest}).encode() + b"\n")
    stranger = socket.create_connection(("127.0.0.1", int(workers[0].split(":")[1])))
    stranger.sendall(b"GET / HTTP/1.1\n\n")
    assert [each.end() for each in (Worker(workers, 1), Worker(workers, 2), first)] == ["met"] * 3
    stranger.close()


def test_whom_a_worker_waits_for_is_said(workers, monkeypatch, capsys):
    monkeypatch.setattr(meeting._Waiting, "__init__", lambda self: setattr(self, "next", 0))
    monkeypatch.setattr(meeting, "_SAY_EVERY", 0)
    others = [Worker(workers, 0), Worker(workers, 1)]
    said, end = "", time.monotonic() + 30
    while time.monotonic() < end and not (f"Waiting for {workers[2]}" in said and "the other workers" in said):
        time.sleep(0.1)
        said += capsys.readouterr().err
    Worker(workers, 2).end()
    assert [each.end() for each in others] == ["met"] * 2
    assert f"Waiting for {workers[2]}" in said
    assert "Waiting for the other workers" in said
