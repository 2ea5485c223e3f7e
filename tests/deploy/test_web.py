"""The page as files; `test_page_in_browser` runs it."""

import json
import re

import numpy as np
import pytest
from PIL import Image

import keras_pix2pix
from keras_pix2pix import export_tflite, export_web, serving_model, unet_generator
from keras_pix2pix.deploy import web
from keras_pix2pix.deploy.metadata import read_metadata
from keras_pix2pix.deploy.parity import _drawn_sources
from keras_pix2pix.inference import lean as rewrite

SCRIPTS = sorted(web._PAGE.glob("*.js"))


@pytest.fixture(scope="module")
def generator():
    return unet_generator((32, 64, 3), filters=2, num_downsamples=3)


def read(directory):
    return json.loads((directory / "settings.json").read_text(encoding="utf-8"))


def write_older_page(directory):
    directory.mkdir(exist_ok=True)
    for name in ("index.html", "page.js", "older.tflite"):
        (directory / name).write_text("of an older page")
    (directory / "settings.json").write_text('{"model": "older.tflite"}')


def pixels_of(path):
    return np.asarray(Image.open(path))


def test_the_folder_holds_page_model_samples_and_settings(generator, tmp_path, capsys):
    samples = _drawn_sources((32, 64), 3)
    parity = export_web(generator, tmp_path / "page", pixels=samples, quantization="none")
    page = tmp_path / "page"
    settings = read(page)
    assert settings["image_size"] == [32, 64]
    assert settings["source"] == settings["target"] == {"channels": 3, "classes": None}
    assert settings["version"] == keras_pix2pix.__version__
    assert not settings["labels"]
    for number, sample in enumerate(samples, start=1):
        np.testing.assert_array_equal(pixels_of(page / f"samples/{number}.png"), sample)
    assert settings["samples"] == [f"samples/{number}.png" for number in range(1, 5)]
    expected = np.asarray(serving_model(generator)(samples[:1]))[0]
    np.testing.assert_allclose(pixels_of(page / settings["check"]["expected"]).astype(int), expected, atol=1)
    assert settings["check"]["source"] == "samples/1.png"
    alone = export_tflite(generator, tmp_path / "alone.tflite", pixels=samples)
    assert parity.size == alone.size == (page / "page.tflite").stat().st_size
    assert parity.path == str(page / "page.tflite")
    assert capsys.readouterr().out == ""
    assert {path.name for path in web._PAGE.iterdir()} < {path.name for path in page.iterdir()}


def test_only_eight_samples_are_shown_and_all_count_for_the_palette(generator, tmp_path):
    samples = np.zeros((10, 32, 64, 3), np.uint8)
    samples[9, :16] = (10, 200, 30)
    samples[9, 0, 0] = (255, 255, 255)
    export_web(generator, tmp_path / "page", pixels=samples)
    settings = read(tmp_path / "page")
    assert len(settings["samples"]) == len(list((tmp_path / "page" / "samples").iterdir())) == 8
    assert settings["background"] == "#000000"
    assert settings["palette"] == ["#000000", "#ffffff", "#0ac81e"]  # Grays, then by hue.


def test_size_and_quantization_reach_the_file(tmp_path):
    generator = unet_generator((None, None, 3), filters=2, num_downsamples=3)
    with pytest.raises(ValueError, match="`image_size` is needed") as refused:
        export_web(generator, tmp_path / "page")
    assert "any size. Accepted: (height, width) in pixels." in str(refused.value)
    assert "--image-size any" not in str(refused.value)
    with pytest.raises(ValueError, match="one integer, in pixels. Received: image_size='any'"):
        export_web(generator, tmp_path / "page", image_size="any")
    sizes = []
    for quantization in ("none", "float16"):
        parity = export_web(generator, tmp_path / "page", image_size=(16, 24), quantization=quantization)
        settings = read(tmp_path / "page")
        assert settings["image_size"] == [16, 24]
        assert settings["quantization"] == quantization
        sizes.append(parity.size)
    assert pixels_of(tmp_path / "page" / "samples" / "1.png").shape == (16, 24, 3)
    assert sizes[1] < sizes[0]
    with pytest.raises(ValueError, match="`quantization` must be one of"):
        export_web(generator, tmp_path / "page", image_size=(16, 24), quantization="int3")


def test_license_configuration_and_what_is_accepted_reach_the_file(generator, make_encoded_model, tmp_path):
    accepted = {"psnr": 5, "levels": 250}
    export_web(generator, tmp_path / "page", license="CC BY 4.0", config={"epochs": 3}, accept=accepted)
    record = json.loads((tmp_path / "page" / "page.tflite.export.json").read_text())
    assert record["accepted"] == accepted
    metadata = read_metadata(tmp_path / "page" / "page.tflite")
    assert (metadata["license"], metadata["config"]) == ("CC BY 4.0", {"epochs": 3})
    export_web(make_encoded_model("rgb", "classes:3"), tmp_path / "labels", accept={"equal": 0.5})
    record = json.loads((tmp_path / "labels" / "labels.tflite.export.json").read_text())
    assert record["accepted"] == {"equal": 0.5}


def test_representative_pictures_reach_int8(generator, tmp_path):
    with pytest.raises(ValueError, match="measures its ranges on source pictures"):
        export_web(generator, tmp_path / "page", quantization="int8")
    samples = _drawn_sources((32, 64), 3)
    parity = export_web(generator, tmp_path / "page", quantization="int8", representative=samples, pixels=samples)
    alone = export_tflite(generator, tmp_path / "x.tflite", quantization="int8", representative=samples, pixels=samples)
    assert parity.psnr == alone.psnr


@pytest.mark.parametrize(
    ("source", "target", "colors"),
    [
        ("palette:#ff0000,#0000ff,#00ff00", "gray", ["#ff0000", "#0000ff", "#00ff00"]),
        ("palette:#ff0000=roof,#0000ff=sky,#00ff00=tree", "gray", ["#ff0000", "#0000ff", "#00ff00"]),
        ("classes:3", "rgba", None),
    ],
)
def test_label_maps_bring_their_palette(make_encoded_model, tmp_path, source, target, colors):
    model = make_encoded_model(source, target)
    export_web(model, tmp_path / "page")
    settings = read(tmp_path / "page")
    assert settings["labels"]
    assert len(settings["palette"]) == 3
    assert settings["background"] in settings["palette"]
    if source.startswith("palette"):
        assert settings["palette"] == colors  # As declared, not by hue.
        assert settings["names"] == (["roof", "sky", "tree"] if "=" in source else None)
        assert settings["source"] == {"channels": 3, "classes": None}
    else:
        shown = model.source_encoding.show(np.arange(3, dtype="uint8")[None, :, None])[0].tolist()
        assert settings["palette"] == ["#{:02x}{:02x}{:02x}".format(*each) for each in shown]
        assert settings["source"] == {"channels": 1, "classes": settings["palette"]}
    assert pixels_of(tmp_path / "page" / "samples" / "1.png").shape == (16, 16, 3)
    channels = {"gray": 1, "rgba": 4}[target]
    assert settings["target"] == {"channels": channels, "classes": None}
    assert pixels_of(tmp_path / "page" / "check.png").shape == (16, 16, 3)


def test_classes_that_come_out_are_shown_in_colours(make_encoded_model, tmp_path):
    model = make_encoded_model("rgb", "classes:4")
    export_web(model, tmp_path / "page", quantization="none")
    settings = read(tmp_path / "page")
    assert settings["target"]["channels"] == 1
    assert settings["target"]["classes"][0] == "#000000"
    assert len(settings["target"]["classes"]) == 4
    shown = {"#{:02x}{:02x}{:02x}".format(*color) for color in pixels_of(tmp_path / "page/check.png").reshape(-1, 3)}
    assert shown <= set(settings["target"]["classes"])


@pytest.mark.parametrize("encodings", [("gray16", "rgb"), ("rgb", "values:2:0:1"), (["gray", "gray"], "rgb")])
def test_what_a_canvas_cannot_show_is_refused(make_encoded_model, tmp_path, encodings):
    with pytest.raises(ValueError, match=r"The page draws pictures of 8 bits .* Received: a (source|target)"):
        export_web(make_encoded_model(*encodings), tmp_path / "page")
    assert not list(tmp_path.iterdir())


def test_a_page_is_replaced_and_its_runtime_kept(generator, tmp_path):
    installed = tmp_path / "page" / "node_modules" / "@litertjs"
    installed.mkdir(parents=True)
    (installed / "file").write_text("kept")
    write_older_page(tmp_path / "page")
    export_web(generator, tmp_path / "page")
    assert (installed / "file").read_text() == "kept"
    assert read(tmp_path / "page")
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_a_folder_with_something_else_is_not_replaced(generator, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_text("mine")
    (tmp_path / "photos" / "settings.json").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("photos", "file"):
        with pytest.raises(ValueError, match=f"{name} exists and is not a page"):
            export_web(generator, tmp_path / name)
    assert (tmp_path / "photos" / "1.jpg").read_text() == "mine"


def test_a_file_that_computes_something_else_makes_no_page(generator, tmp_path, monkeypatch):
    write_older_page(tmp_path / "page")
    kernel = rewrite.subpixel_kernel
    monkeypatch.setattr(rewrite, "subpixel_kernel", lambda *original, **form: kernel(*original, **form) * 2)
    for name in ("page", "other"):
        with pytest.raises(RuntimeError, match=rf"{tmp_path / name / name}\.tflite.*Received"):
            export_web(generator, tmp_path / name)
    assert read(tmp_path / "page") == {"model": "older.tflite"}
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_the_scripts_find_what_they_name():
    page = (web._PAGE / "index.html").read_text(encoding="utf-8")
    ids = set(re.findall(r'id="([\w-]+)"', page))
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        assert set(re.findall(r'find\("([\w-]+)"\)', text)) <= ids
        for file in re.findall(r'from "\./(.+?)"', text):
            assert (web._PAGE / file).is_file()


def test_versions_are_exact_and_nothing_comes_from_elsewhere():
    versions = json.loads((web._PAGE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values())
    page = (web._PAGE / "index.html").read_text(encoding="utf-8")
    for name in versions:
        assert f'"{name}": "./node_modules/{name}/dist/index.js"' in page
    for file in web._PAGE.iterdir():
        assert not re.findall(r"https?://", file.read_text(encoding="utf-8")), file
