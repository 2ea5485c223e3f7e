"""Files and folders written whole or not at all."""

import errno
import os
import signal
import stat
import subprocess
import sys

import pytest

from keras_pix2pix import files
from keras_pix2pix.files import (
    refuse_to_replace_what_is_read,
    regular_file,
    remove_leftovers,
    temporary_folder,
    whole_file,
)


def names_in(directory):
    return sorted(path.name for path in directory.iterdir())


def test_whole_file_takes_its_place_when_the_block_has_ended(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("old")
    with whole_file(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names_in(tmp_path) == ["notes.txt"]


def test_whole_file_is_on_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    calls = []
    replace, fsync = os.replace, os.fsync

    def sync(descriptor):
        calls.append("fsync of the folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "fsync of the file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", lambda *paths: (calls.append("replace"), replace(*paths)))
    with whole_file(tmp_path / "notes.txt") as temporary:
        temporary.write_text("new")
    assert calls == ["fsync of the file", "replace", "fsync of the folder"]


@pytest.mark.parametrize("existing", [["notes.txt"], []])
def test_whole_file_leaves_all_as_it_was_when_the_block_raises(tmp_path, existing):
    for name in existing:
        (tmp_path / name).write_text("old")

    def write_half():
        with whole_file(tmp_path / "notes.txt") as temporary:
            temporary.write_text("half of the n")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_half()
    assert names_in(tmp_path) == existing
    assert all((tmp_path / name).read_text() == "old" for name in existing)


def test_whole_folder_is_left_as_it_was_when_the_block_raises(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old.txt").write_text("old")

    def write_half():
        with whole_file(tmp_path / "model") as temporary:
            temporary.mkdir()
            (temporary / "new.txt").write_text("half of the n")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_half()
    assert names_in(tmp_path) == ["model"]
    assert names_in(tmp_path / "model") == ["old.txt"]


def test_temporary_name_is_that_of_the_file_in_a_folder_beside_it(tmp_path):
    with whole_file(tmp_path / "model.tar.keras") as temporary:
        assert temporary.name == "model.tar.keras"
        # Beside it, as a rename is whole on one file system only; hidden, so that no listing takes it for a file.
        assert temporary.parent.parent == tmp_path
        assert temporary.parent.name.startswith(".model.tar.keras.")
        temporary.write_text("new")


def test_whole_file_makes_its_folder(tmp_path):
    with whole_file(str(tmp_path / "one" / "two" / "notes.txt")) as temporary:
        temporary.write_text("new")
    assert (tmp_path / "one" / "two" / "notes.txt").read_text() == "new"


@pytest.mark.parametrize("name", ["model", "model.keras", "replaced"])
def test_whole_folder_takes_the_place_of_a_folder(tmp_path, name):
    (tmp_path / name / "variables").mkdir(parents=True)
    (tmp_path / name / "variables" / "old.txt").write_text("old")
    with whole_file(tmp_path / name) as temporary:
        temporary.mkdir()
        (temporary / "new.txt").write_text("new")
        assert names_in(tmp_path / name) == ["variables"]
    assert names_in(tmp_path) == [name]
    assert names_in(tmp_path / name) == ["new.txt"]


def test_whole_folder_where_there_was_none(tmp_path):
    with whole_file(tmp_path / "model") as temporary:
        temporary.mkdir()
        (temporary / "new.txt").write_text("new")
    assert names_in(tmp_path / "model") == ["new.txt"]


def test_whole_folder_takes_the_place_of_a_file_but_a_file_never_that_of_a_folder(tmp_path):
    (tmp_path / "model").write_text("old")
    with whole_file(tmp_path / "model") as temporary:
        temporary.mkdir()
        (temporary / "new.txt").write_text("new")
    assert names_in(tmp_path / "model") == ["new.txt"]
    with pytest.raises(IsADirectoryError), whole_file(tmp_path / "model") as temporary:
        temporary.write_text("newer")
    assert names_in(tmp_path / "model") == ["new.txt"]
    assert names_in(tmp_path) == ["model"]


def test_block_that_writes_nothing_costs_nothing(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old.txt").write_text("old")
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "model"):
        pass
    assert names_in(tmp_path / "model") == ["old.txt"]


def test_a_folder_is_renamed_first_where_two_can_not_be_exchanged(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchanged_in_one_call", lambda new, old: False)
    write_folder(tmp_path / "model", "old")
    write_folder(tmp_path / "model", "new")
    assert names_in(tmp_path) == ["model"]
    assert (tmp_path / "model" / "word.txt").read_text() == "new"


@pytest.mark.parametrize("kept", ["old", "new"])
def test_what_was_killed_between_two_renames_is_put_right_by_the_next_call(tmp_path, kept):
    write_folder(tmp_path / ".model.keras_pix2pix_replaced", "old")
    if kept == "new":
        write_folder(tmp_path / "model", "new")
    with pytest.raises(RuntimeError, match="power cut"), whole_file(tmp_path / "model"):
        raise RuntimeError("power cut")
    assert names_in(tmp_path) == ["model"]
    assert (tmp_path / "model" / "word.txt").read_text() == kept


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="two folders can't be exchanged in one call")
def test_a_reader_always_finds_a_whole_folder(tmp_path):
    write_folder(tmp_path / "model", "old")
    program = (
        "import sys, pathlib; from keras_pix2pix.files import whole_file\n"
        "for number in range(10**6):\n"
        "    with whole_file(sys.argv[1]) as temporary:\n"
        "        temporary.mkdir(); (temporary / 'word.txt').write_text(str(number))\n"
        "    if number == 20: print('ready', flush=True)"
    )
    for _ in range(5):
        command = [sys.executable, "-c", program, tmp_path / "model"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        words = {(tmp_path / "model" / "word.txt").read_text() for _ in range(200)}
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert "" not in words
        assert (tmp_path / "model" / "word.txt").read_text().isdigit()
    remove_leftovers(tmp_path)
    assert names_in(tmp_path) == ["model"]


def test_leftovers_are_removed_but_not_what_somebody_is_writing(tmp_path):
    (tmp_path / ".model.keras.abc.keras_pix2pix_partial").mkdir()
    (tmp_path / ".notes.txt.abc.keras_pix2pix_partial").mkdir()
    (tmp_path / ".model.keras.mine").mkdir()
    with temporary_folder(tmp_path / "model.keras") as mine:
        remove_leftovers(tmp_path, "model.keras")
        assert mine.is_dir()
        assert names_in(tmp_path) == sorted([".model.keras.mine", ".notes.txt.abc.keras_pix2pix_partial", mine.name])
        remove_leftovers(tmp_path)
        assert names_in(tmp_path) == sorted([".model.keras.mine", mine.name])
    assert names_in(tmp_path) == [".model.keras.mine"]


def test_a_pipe_or_device_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe"), whole_file(tmp_path / "pipe") as temporary:
        temporary.write_text("new")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    with pytest.raises(ValueError, match="/dev/null"), whole_file("/dev/null"):
        pass
    assert not regular_file(tmp_path / "pipe")


def write_folder(path, word):
    with whole_file(path) as temporary:
        temporary.mkdir()
        (temporary / "word.txt").write_text(word)


def test_an_error_names_the_file_that_was_to_be_written(tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for module, name in ((files.tempfile, "mkdtemp"), (os, "fsync")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, fail)
            with pytest.raises(OSError, match=r"notes\.txt"), whole_file(tmp_path / "notes.txt") as temporary:
                temporary.write_text("new")
    assert names_in(tmp_path) == []


def test_hidden_folders_of_the_user_are_no_left_overs(tmp_path):
    for name in (".model.mine.partial", ".model.replaced"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "notes.txt").write_text("mine")
    remove_leftovers(tmp_path)
    remove_leftovers(tmp_path, "model")
    write_folder(tmp_path / "model", "new")
    assert names_in(tmp_path) == [".model.mine.partial", ".model.replaced", "model"]
    (tmp_path / ".x[1].abc.keras_pix2pix_partial").mkdir()
    remove_leftovers(tmp_path, "x[1]")
    assert names_in(tmp_path) == [".model.mine.partial", ".model.replaced", "model"]


def test_ctrl_c_between_two_renames_puts_the_old_folder_back(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchanged_in_one_call", lambda *names: False)
    write_folder(tmp_path / "model", "old")
    replace = os.replace

    def replace_once(*names):
        monkeypatch.setattr(os, "replace", interrupt)
        replace(*names)

    def interrupt(*names):
        monkeypatch.setattr(os, "replace", replace)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", replace_once)
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "model", "new")
    assert names_in(tmp_path) == ["model"]
    assert (tmp_path / "model" / "word.txt").read_text() == "old"


def test_a_link_is_replaced_and_not_what_it_leads_to(tmp_path):
    write_folder(tmp_path / "elsewhere", "old")
    for target in ("elsewhere", "nowhere"):
        (tmp_path / f"to_{target}").symlink_to(tmp_path / target)
        write_folder(tmp_path / f"to_{target}", "new")
        assert not (tmp_path / f"to_{target}").is_symlink()
    assert (tmp_path / "elsewhere" / "word.txt").read_text() == "old"


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_what_is_read_is_not_written(tmp_path, link):
    source = tmp_path / "source.png"
    source.write_text("mine")
    written = source if link is None else tmp_path / "written.png"
    if link:
        link(source, written)
    with pytest.raises(ValueError, match=f"is read, and {written} would take its place"):
        refuse_to_replace_what_is_read([tmp_path / "new.png", written], [source])
    (tmp_path / "equal.png").write_text("mine")
    refuse_to_replace_what_is_read([tmp_path / "new.png", tmp_path / "equal.png"], [source])
