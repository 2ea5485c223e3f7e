"""The server of one folder, asked by a plain client."""

import http.client
import threading

import pytest

from keras_pix2pix.deploy.page_server import page_server


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
    with page_server(page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


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
        "/nothing",
        "//etc/passwd",
        "/%00",
        "/%ed%a0%80",
    ],
)
def test_neither_listings_nor_anything_outside(served, path, capsys):
    status, _, body = ask(served, path)
    assert status in (301, 404)
    assert b"secret" not in body.replace(b"secret.txt", b"")
    assert status == 404 or path == "/inner"
    assert capsys.readouterr().err == ""


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
