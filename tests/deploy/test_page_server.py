"""The server of one folder, asked by a plain client."""

import http.client
import os
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from keras_pix2pix.deploy import page_server as module
from keras_pix2pix.deploy.page_server import page_server

LARGE = 1 << 26  # Bytes; more than the system's buffers take.


@pytest.fixture
def served(tmp_path):
    page = tmp_path / "page"
    (page / "inner").mkdir(parents=True)
    (page / "index.html").write_text("<p>the page")
    (page / "code.js").write_text("1")
    (page / "code.mjs").write_text("1")
    (page / "code.wasm").write_bytes(b"\0asm")
    (page / "model.tflite").write_bytes(b"model")
    (tmp_path / "secret.txt").write_text("secret")
    (page / "link.txt").symlink_to(tmp_path / "secret.txt")
    for name in ("linked", "linked_htm", "nested/index.html"):
        (page / name).mkdir(parents=True)
    (page / "linked" / "index.html").symlink_to(tmp_path / "secret.txt")
    (page / "linked_htm" / "index.htm").symlink_to(tmp_path / "secret.txt")
    (page / "nested" / "index.html" / "index.html").symlink_to(tmp_path / "secret.txt")
    (page / "loop.txt").symlink_to(page / "loop.txt")
    (page / "within").mkdir()
    (page / "within" / "index.html").symlink_to(page / "index.html")
    os.mkfifo(page / "pipe")  # Whoever opens it waits.
    with page_server(page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def knock(server, text=b""):
    connection = socket.create_connection(("127.0.0.1", server.server_port), timeout=10)
    connection.sendall(text)
    return connection


def ask(server, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/code.js", "text/javascript"),
        ("/code.mjs", "text/javascript"),
        ("/code.wasm", "application/wasm"),
        ("/model.tflite", "application/octet-stream"),
    ],
)
def test_files_come_with_their_types_and_what_threads_need(served, path, kind):
    status, headers, _ = ask(served, path)
    assert status == 200
    assert headers["Content-Type"] == kind
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/inner/",
        "/inner",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/link.txt",
        "/linked/",
        "/linked/?query",
        "/linked/index.html",
        "/linked_htm/",
        "/nested/",
        "/nested/index.html/",
        "/loop.txt",
        "/pipe",
        "/nothing",
        "//etc/passwd",
        "/%00",
        "/%ed%a0%80",
    ],
)
def test_neither_listings_nor_anything_outside(served, path, capsys):
    status, _, body = ask(served, path)
    assert status == 404
    assert b"secret" not in body.replace(b"secret.txt", b"")
    assert capsys.readouterr().err == ""


def test_a_link_within_the_folder_is_followed(served):
    assert ask(served, "/within/")[::2] == (200, b"<p>the page")


@pytest.mark.parametrize("beginning", [b"", b"GET /in", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: "])
def test_a_request_that_takes_too_long_is_dropped(served, monkeypatch, capsys, beginning):
    monkeypatch.setattr(module._Handler, "timeout", 0.2)
    with knock(served, beginning) as connection:
        connection.settimeout(0.05)
        for _ in range(200):  # A byte now and then, each well within the limit.
            try:
                assert connection.recv(1) == b""
                break
            except TimeoutError:
                connection.send(b"x" * bool(beginning))
            except ConnectionError:
                break
        else:
            pytest.fail("The connection was held open.")
    assert capsys.readouterr().err == ""


def test_an_answer_that_is_not_taken_is_dropped(served, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module._Handler, "timeout", 0.2)
    os.truncate(tmp_path / "page" / "model.tflite", LARGE)
    ended = threading.Event()
    close = served.close_request
    monkeypatch.setattr(served, "close_request", lambda request: close(request) or ended.set())
    with knock(served, b"GET /model.tflite HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"):
        assert ended.wait(10)
    assert capsys.readouterr().err == ""


def test_an_answer_may_take_longer_than_a_request(served, tmp_path, monkeypatch):
    os.truncate(tmp_path / "page" / "model.tflite", LARGE)
    clock, looks = [0], []
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: looks.append(clock[0]) or clock[0]))
    connection = http.client.HTTPConnection("127.0.0.1", served.server_port, timeout=10)
    connection.request("GET", "/model.tflite")
    response = connection.getresponse()
    clock[0] = 1000
    for _ in range(1000):
        if looks.count(1000) >= 2:
            break
        time.sleep(0.01)
    assert looks.count(1000) >= 2
    assert len(response.read()) == LARGE
    connection.close()


def test_who_comes_when_all_places_are_taken_waits(served, monkeypatch):
    monkeypatch.setattr(module, "_MOST_CONNECTIONS", 2)
    guests = [knock(served), knock(served)]
    most = []

    def pause(seconds):
        most.append(len(served.deadlines))
        if len(most) == 3:
            guests.pop().close()

    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=pause, monotonic=time.monotonic))
    assert ask(served, "/")[0] == 200
    assert max(most) == 2
    assert len(most) >= 3
    guests.pop().close()


def test_without_file_handles_the_server_waits_and_then_answers(served, monkeypatch):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    waits = []

    def pause(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)

    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=pause, monotonic=time.monotonic))
    client = socket.socket()
    client.settimeout(10)
    free = os.dup(client.fileno())
    os.close(free)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
        client.connect(("127.0.0.1", served.server_port))  # By the system, without the server.
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        client.close()
    assert len(waits) == 3
    assert min(waits) > 0


def test_a_page_elsewhere_that_took_the_address_is_refused(served):
    for host in ("evil.example:80", "evil.example", "127.0.0.1.evil.example", ""):
        assert ask(served, "/", Host=host)[0] == 403
    for host in (f"localhost:{served.server_port}", f"LOCALHOST:{served.server_port}", "127.0.0.1", "localhost"):
        assert ask(served, "/", Host=host)[0] == 200  # Clients name no port if it is 80.


def test_a_dropped_connection_is_nothing_to_report_and_a_fault_is(served, capsys):
    for error, reported in ((ConnectionResetError(), False), (BrokenPipeError(), False), (RuntimeError(), True)):
        try:
            raise error
        except (OSError, RuntimeError):
            served.handle_error(None, ("127.0.0.1", 1))
        assert ("Traceback" in capsys.readouterr().err) == reported


def test_nothing_is_written(served):
    assert ask(served, "/index.html", method="PUT")[0] == 501
    assert ask(served, "/index.html", method="POST")[0] == 501


def test_it_listens_on_this_computer_only(served):
    assert served.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_or_none_is_refused(served, tmp_path):
    with pytest.raises(ValueError, match=f"Port {served.server_port} of 127.0.0.1 can't be used"):
        page_server(tmp_path, served.server_port)
    with pytest.raises(ValueError, match="Received: 70000"):
        page_server(tmp_path, 70000)
