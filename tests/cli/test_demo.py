"""`keras-pix2pix demo` and `export --format web`, without a browser."""

import http.client
import json
import shutil
import threading
import webbrowser

import numpy as np
import pytest
from PIL import Image

import keras_pix2pix
from keras_pix2pix import unet_generator
from keras_pix2pix.cli.main import main
from keras_pix2pix.data.synthetic import facade, write_facades
from keras_pix2pix.deploy import page_server
from keras_pix2pix.deploy.metadata import read_metadata
from keras_pix2pix.runs import web_demo

CONFIG = {"preset": "paper", "direction": "BtoA", "image_size": [32, 32], "batch_size": 1, "epochs": 1, "seed": 0}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A run folder with its page, which is up to date, and LiteRT.js as far as the command looks at it."""
    parent = tmp_path_factory.mktemp("exported")
    run_dir = parent / "run"
    run_dir.mkdir()
    unet_generator((32, 32, 3), filters=2, num_downsamples=3).save(run_dir / "model.keras")
    write_facades(parent / "pairs", 3, image_size=(32, 32), direction="BtoA", seed=5)
    config = {**CONFIG, "data": str(parent / "pairs"), "validation": str(parent / "pairs")}
    (run_dir / "config.json").write_text(json.dumps(config))
    with pytest.raises(SystemExit):
        main(["demo", str(run_dir)])
    (run_dir / "web" / web_demo._RUNTIME).parent.mkdir(parents=True)
    (run_dir / "web" / web_demo._RUNTIME).write_text("{}")
    return run_dir


@pytest.fixture
def run_folder(exported, tmp_path):
    return shutil.copytree(exported, tmp_path / "run")


@pytest.fixture
def visited(monkeypatch):
    """Instead of serving until Ctrl-C: one request, then Ctrl-C."""
    answers = []

    def serve(server, *rest):
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
        connection.request("GET", "/settings.json")
        answers.append(json.loads(connection.getresponse().read()))
        connection.close()
        thread.join()
        raise KeyboardInterrupt

    monkeypatch.setattr(page_server._Server, "serve_forever", serve)
    monkeypatch.setattr(webbrowser, "open", lambda address: answers.append(address))
    return answers


def test_without_the_runtime_one_message_says_what_to_do(run, run_folder, visited):
    shutil.rmtree(run_folder / "web" / "node_modules")
    code, _, error = run("demo", run_folder)
    assert code == 2
    assert f"npm install --prefix {run_folder / 'web'}" in error
    assert len(error.splitlines()) == 1
    assert not visited


def test_the_page_is_shown_until_ctrl_c(run, run_folder, visited):
    code, printed, _ = run("demo", run_folder)
    assert code == 0
    address, settings = visited
    assert address.startswith("http://127.0.0.1:")
    assert address in printed
    assert printed.endswith("Ended.\n")
    assert settings["image_size"] == [32, 32]
    assert len(settings["samples"]) == 3
    sample = np.asarray(Image.open(run_folder / "web" / "samples" / "1.png"))
    np.testing.assert_array_equal(sample, facade(5, (32, 32))[0])


def test_no_browser_and_port(run, run_folder, visited):
    with page_server.page_server(run_folder) as server:
        port = server.server_port
    code, printed, _ = run("demo", run_folder, "--no-browser", "--port", port)
    assert code == 0
    assert f":{port}/" in printed
    assert len(visited) == 1  # The settings, and no address that was opened.


def test_the_page_is_written_anew_for_another_model_or_option_only(run, run_folder, visited, monkeypatch):
    exported = []
    export_web = keras_pix2pix.export_web
    monkeypatch.setattr(
        keras_pix2pix, "export_web", lambda *model, **options: exported.append(options) or export_web(*model, **options)
    )
    for arguments in ([], [], ["--quantization", "none"], ["--quantization", "none"], ["--image-size", "16x24"]):
        assert run("demo", run_folder, "--no-browser", *arguments)[0] == 0
    assert [set(options) - {"pixels"} for options in exported] == [{"quantization"}, {"image_size"}]
    assert visited[-1]["image_size"] == [16, 24]
    unet_generator((32, 32, 3), filters=4, num_downsamples=3).save(run_folder / "model.keras")
    assert run("demo", run_folder)[0] == 0
    assert len(exported) == 3


@pytest.mark.parametrize("name", ["web.tflite", "settings.json", "check.png", "samples/1.png"])
def test_a_page_with_a_part_missing_is_not_shown(run, run_folder, visited, monkeypatch, name):
    (run_folder / "web" / name).unlink()
    calls, export_web = [], keras_pix2pix.export_web
    monkeypatch.setattr(
        keras_pix2pix, "export_web", lambda *model, **options: calls.append(options) or export_web(*model, **options)
    )
    run("demo", run_folder)
    assert len(calls) == 1


def test_pictures_for_int8_and_what_is_accepted_are_given_to_the_export(run, run_folder, tmp_path, visited):
    shutil.copy(run_folder / "model.keras", tmp_path / "facades.keras")
    shutil.copytree(run_folder / "web" / "node_modules", tmp_path / "facades_web" / "node_modules")
    (tmp_path / "pictures").mkdir()
    sample = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(sample).save(tmp_path / "pictures" / "1.png")
    options = "--quantization", "int8", "--accept", "psnr=1", "--accept", "levels=255"
    assert "add --images FOLDER" in run("demo", tmp_path / "facades.keras", *options)[2]
    code, _, error = run("demo", tmp_path / "facades.keras", *options, "--images", tmp_path / "pictures")
    assert code == 0, error
    page = tmp_path / "facades_web"
    np.testing.assert_array_equal(np.asarray(Image.open(page / "samples" / "1.png")), sample)
    record = json.loads((page / "facades_web.tflite.export.json").read_text())
    assert (record["quantization"], record["accepted"]) == ("int8", {"psnr": 1, "levels": 255})
    code, _, error = run("demo", tmp_path / "facades.keras", "--accept", "equal=0.5")
    assert code == 2
    assert "'equal' of `accept` does not apply to this target" in error


def test_a_file_has_its_page_beside_it(run, run_folder, tmp_path, visited):
    shutil.copy(run_folder / "model.keras", tmp_path / "facades.keras")
    shutil.copytree(run_folder / "web" / "node_modules", tmp_path / "facades_web" / "node_modules")
    assert run("demo", tmp_path / "facades.keras")[0] == 0
    assert (tmp_path / "facades_web" / "facades_web.tflite").is_file()


def test_install_runs_npm_and_says_when_it_cannot(run, run_folder, visited, monkeypatch):
    shutil.rmtree(run_folder / "web" / "node_modules")
    calls = []
    monkeypatch.setattr(web_demo.shutil, "which", lambda name: None)
    assert "--install needs npm" in run("demo", run_folder, "--install")[2]
    monkeypatch.setattr(web_demo.shutil, "which", lambda name: name)
    answer = type("Answer", (), {"returncode": 1})
    monkeypatch.setattr(web_demo.subprocess, "run", lambda command: calls.append(command) or answer)
    code, _, error = run("demo", run_folder, "--install")
    assert code == 2
    assert "failed" in error
    assert calls == [["npm", "install", "--prefix", str(run_folder / "web")]]
    answer.returncode = 0
    assert run("demo", run_folder, "--install")[0] == 0


def test_no_model_is_one_message(run, tmp_path):
    code, _, error = run("demo", tmp_path)
    assert code == 2
    assert "There is no model at" in error


def test_export_takes_samples_from_the_run(run, run_folder, tmp_path):
    code, _, error = run(
        *("export", run_folder, "--format", "web", "--output", tmp_path / "page", "--quantization", "none"),
        *("--accept", "levels=7", "--license", "CC BY 4.0"),
    )
    assert code == 0, error
    metadata = read_metadata(tmp_path / "page" / "page.tflite")
    assert (metadata["license"], metadata["config"]["epochs"]) == ("CC BY 4.0", 1)
    assert "data" not in metadata["config"]
    settings = json.loads((tmp_path / "page" / "settings.json").read_text())
    assert settings["quantization"] == "none"
    assert len(settings["samples"]) == 3
    record = json.loads(next((run_folder / "exports").rglob("page.tflite.export.json")).read_text())
    assert (record["quantization"], record["accepted"]) == ("none", {"levels": 7})


def test_where_the_data_are_gone_label_maps_are_drawn(run, run_folder, tmp_path):
    config = {**CONFIG, "data": str(tmp_path / "gone")}
    (run_folder / "config.json").write_text(json.dumps(config))
    code, printed, _ = run("export", run_folder, "--format", "web", "--output", tmp_path / "page", "--image-size", "16")
    assert code == 0
    assert "compared on drawn label maps" in printed
    settings = json.loads((tmp_path / "page" / "settings.json").read_text())
    assert settings["image_size"] == [16, 16]
    assert len(settings["samples"]) == 4
