"""Downloads from a server that fails in every way."""

import functools
import http.server
import io
import random
import tarfile
import threading

import pytest

from keras_pix2pix import download_dataset
from keras_pix2pix.data import download


def archive(*members, size=20_000):
    """A gzipped tar file of (name, kind) members; files have bytes that can't be compressed."""
    stream, rng = io.BytesIO(), random.Random(0)
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, kind in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            if kind == tarfile.REGTYPE:
                contents = rng.randbytes(size)
                member.size = len(contents)
                tar.addfile(member, io.BytesIO(contents))
            else:
                member.linkname = "/etc/passwd"
                tar.addfile(member)
    return stream.getvalue()


FACADES = archive(
    ("facades", tarfile.DIRTYPE),
    ("facades/train/1.jpg", tarfile.REGTYPE),
    ("./facades/val/1.jpg", tarfile.REGTYPE),
)


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `contents`; `breaks` says after how many bytes each answer ends."""

    def __init__(self, state, *arguments):
        self.state = state
        super().__init__(*arguments)

    def log_message(self, *arguments):
        pass

    def do_GET(self):  # The name is the library's.
        state = self.state
        state["requests"].append((self.path, self.headers.get("Range")))
        if not self.path.startswith("/good"):
            self.send_error(404)
            return
        contents, wanted = state["contents"], self.headers.get("Range")
        start = 0
        if wanted and state["ranges"] and self.headers.get("If-Range") == state["etag"]:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200)
        self.send_header("ETag", state["etag"])
        self.send_header("Content-Length", str(len(contents) - start + state["lie"]))
        self.end_headers()
        end = state["breaks"].pop(0) if state["breaks"] else len(contents)
        self.wfile.write(contents[start:end])


@pytest.fixture
def state():
    return {"contents": FACADES, "breaks": [], "ranges": True, "etag": '"1"', "lie": 0, "requests": []}


@pytest.fixture
def host(state):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, state)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def fetch(host, folder, *others):
    return download_dataset("facades", folder, hosts=(*others, f"{host}/good"))


def test_a_data_set_is_unpacked_and_nothing_else_stays(host, tmp_path):
    found = fetch(host, tmp_path)
    assert found.folder == tmp_path / "facades"
    assert found.direction == "BtoA"
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["facades/train/1.jpg", "facades/val/1.jpg"]
    assert (tmp_path / "facades/val/1.jpg").stat().st_size == 20_000


def test_a_broken_download_is_resumed(host, state, tmp_path):
    state["breaks"] = [1000, 2000]
    fetch(host, tmp_path)
    assert [wanted for _, wanted in state["requests"]] == [None, "bytes=1000-", "bytes=2000-"]


def test_it_is_resumed_by_the_next_call(host, state, tmp_path):
    state["breaks"] = [500, 600, 700]
    with pytest.raises(OSError, match="700 of .* bytes.*resumed"):
        fetch(host, tmp_path)
    assert (tmp_path / "facades.tar.gz.partial").stat().st_size == 700
    fetch(host, tmp_path)
    assert state["requests"][-1][1] == "bytes=700-"
    assert [path.name for path in tmp_path.iterdir()] == ["facades"]


def test_a_whole_archive_is_not_fetched_again(host, state, tmp_path, monkeypatch):
    """As after a crash while it was unpacked."""

    def crash(*arguments):
        raise OSError("no more power")

    with monkeypatch.context() as patch:
        patch.setattr(download, "_unpack", crash)
        with pytest.raises(OSError, match="power"):
            fetch(host, tmp_path)
    fetch(host, tmp_path)
    assert len(state["requests"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["facades"]


@pytest.mark.parametrize("change", [{"ranges": False}, {"etag": '"2"'}])
def test_another_file_or_a_server_without_ranges_starts_anew(host, state, tmp_path, change):
    state["breaks"] = [500, 500, 500]
    with pytest.raises(OSError, match="stopped after"):
        fetch(host, tmp_path)
    state.update(change)
    fetch(host, tmp_path)
    assert (tmp_path / "facades/train/1.jpg").stat().st_size == 20_000


def test_the_next_host_is_asked(host, state, tmp_path):
    fetch(host, tmp_path, f"{host}/bad")
    assert [path for path, _ in state["requests"]] == ["/bad/facades.tar.gz", "/good/facades.tar.gz"]


def test_nobody_has_it(host, tmp_path):
    with pytest.raises(OSError, match="404"):
        download_dataset("facades", tmp_path, hosts=(f"{host}/bad",))
    assert not (tmp_path / "facades").exists()


def test_a_length_that_is_not_true(host, state, tmp_path):
    state["lie"] = 10
    with pytest.raises(OSError, match="stopped after"):
        fetch(host, tmp_path)
    assert not (tmp_path / "facades").exists()


def test_a_page_in_the_place_of_an_archive(host, state, tmp_path):
    state["contents"] = b"<html>moved</html>"
    with pytest.raises(OSError, match="not an archive"):
        fetch(host, tmp_path)
    assert not list(tmp_path.glob("*.partial"))


def test_a_damaged_archive(host, state, tmp_path):
    state["contents"] = FACADES[: len(FACADES) // 2]
    with pytest.raises(ValueError, match="damaged"):
        fetch(host, tmp_path)
    assert not list(tmp_path.glob("facades*"))


@pytest.mark.parametrize(
    "member",
    [
        ("facades/../../out.txt", tarfile.REGTYPE),
        ("/tmp/out.txt", tarfile.REGTYPE),
        ("other/1.jpg", tarfile.REGTYPE),
        ("facades/link", tarfile.SYMTYPE),
        ("facades/link", tarfile.LNKTYPE),
        ("facades/device", tarfile.CHRTYPE),
        ("facades/pipe", tarfile.FIFOTYPE),
    ],
)
def test_nothing_leaves_the_folder(host, state, tmp_path, member):
    state["contents"] = archive(("facades/train/1.jpg", tarfile.REGTYPE), member)
    with pytest.raises(ValueError, match="wasn't unpacked"):
        fetch(host, tmp_path / "data")
    assert [path.name for path in tmp_path.rglob("*")] == ["data"]


def test_no_room(host, tmp_path, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10})())
    with pytest.raises(OSError, match="no room"):
        fetch(host, tmp_path)


def test_what_is_there_is_not_replaced(host, tmp_path):
    (tmp_path / "facades").mkdir()
    with pytest.raises(ValueError, match="already exists"):
        fetch(host, tmp_path)


def test_an_unknown_name():
    with pytest.raises(ValueError, match=r"facades.*Received: 'horses'"):
        download_dataset("horses")
