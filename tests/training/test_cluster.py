"""What TF_CONFIG says about who trains with whom, and who writes."""

import json

import pytest

from keras_pix2pix.training.cluster import folder_to_write, is_chief, worker_count

WORKERS = {"worker": ["a:1", "b:1"]}


def set_config(monkeypatch, cluster, kind="worker", index=0):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}}))


@pytest.mark.parametrize("text", [None, "", "{}"])
def test_without_a_cluster_one_process_is_alone_and_the_chief(monkeypatch, text):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    assert worker_count() == 1
    assert is_chief()


@pytest.mark.parametrize(
    ("cluster", "kind", "index", "count", "chief"),
    [
        (WORKERS, "worker", 0, 2, True),
        (WORKERS, "worker", 1, 2, False),
        ({**WORKERS, "chief": ["c:1"]}, "worker", 0, 3, False),
        ({**WORKERS, "chief": ["c:1"]}, "chief", 0, 3, True),
    ],
)
def test_the_chief_or_else_the_first_worker_writes(monkeypatch, cluster, kind, index, count, chief):
    set_config(monkeypatch, cluster, kind, index)
    assert worker_count() == count
    assert is_chief() == chief


def test_others_write_to_a_passing_copy_of_the_files(monkeypatch, tmp_path):
    (tmp_path / "history.csv").write_text("epoch\n")
    (tmp_path / "samples").mkdir()
    for index in (0, 1):
        set_config(monkeypatch, WORKERS, index=index)
        with folder_to_write(tmp_path) as directory:
            assert (directory == tmp_path) == (index == 0)
            assert (directory / "history.csv").read_text() == "epoch\n"
            assert (directory / "samples").exists() == (index == 0)
    assert not directory.exists()
    with folder_to_write(tmp_path / "new") as directory:
        assert not list(directory.iterdir())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "TF_CONFIG is wrong"),
        ("[]", "TF_CONFIG is wrong"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}', "TF_CONFIG is wrong"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"index": 0}}', "TF_CONFIG is wrong"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": -1}}', "TF_CONFIG is wrong"),
        ('{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}', "list of"),
        ('{"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 0}}', "host:port"),
        ('{"cluster": {"worker": [1]}, "task": {"type": "worker", "index": 0}}', "host:port"),
        ('{"cluster": {"worker": ["a:99999"]}, "task": {"type": "worker", "index": 0}}', "65535"),
        ('{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}', "twice"),
        ('{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}', "workers and a chief"),
    ],
)
def test_a_config_that_is_none_says_what_one_looks_like(monkeypatch, text, words):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=words) as error:
        worker_count()
    assert f"Received: {text!r}" in str(error.value)
    assert '"host0:2222"' in str(error.value)
