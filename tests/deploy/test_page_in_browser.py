"""The page in a real browser, without a window: what is drawn and dropped there, against the Keras model."""

import base64
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_pix2pix import export_web, serving_model, unet_generator
from keras_pix2pix.deploy.page_server import page_server
from keras_pix2pix.deploy.parity import _drawn_sources

pytestmark = pytest.mark.slow

RUNTIME = Path(__file__).parents[2] / ".litertjs" / "node_modules"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,1000",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
PATIENCE = 60  # Seconds, on a machine that does other work.
SIZE = (64, 96)

missing = [name for name, found in (("chromium", BROWSER), ("chromedriver", DRIVER)) if not found]
if missing:
    pytest.skip(f"{' and '.join(missing)} not installed: `make web` tries to", allow_module_level=True)
if not RUNTIME.is_dir():
    pytest.skip("LiteRT.js is not there: `make web` fetches it from npm", allow_module_level=True)
webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.keys import Keys  # noqa: E402


class Page:
    """The page as a user has it: what it shows, and hands to work with."""

    def __init__(self, driver, address):
        self.driver = driver
        self.address = address

    def open(self, query="", wait=True):
        self.driver.get(self.address + query)
        if not wait:
            return self
        self.wait(lambda: self.find("studio").get_property("inert") is False or self.problem())
        self.settle()
        return self

    def wait(self, condition):
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < end, f"Nothing after {PATIENCE} s. Status: {self.find('status').text}"
            time.sleep(0.02)
        return found

    def find(self, name):
        return self.driver.find_element("id", name)

    def problem(self):
        element = self.find("problem")
        # Until scripts have run, the text is there for browsers that run none.
        return element.text if element.is_displayed() and not element.get_attribute("class") else ""

    def settle(self):
        """Wait for the newest picture."""
        self.run("window.drawn = false; requestAnimationFrame(() => requestAnimationFrame(() => window.drawn = true))")
        done = "return window.drawn && document.getElementById('generated').ariaBusy !== 'true'"
        self.wait(lambda: self.run(done))

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def pixels(self, name):
        """RGB pixels of a canvas."""
        encoded = self.run(f"return document.getElementById('{name}').toDataURL('image/png').split(',')[1]")
        path = Path(self.folder) / f"{name}.seen"
        path.write_bytes(base64.b64decode(encoded))
        return np.asarray(Image.open(path).convert("RGB"))

    def click(self, selector):
        self.run("document.querySelector(arguments[0]).click()", selector)
        self.settle()

    def draw(self, *points):
        """Press at the first (x, y) of the picture, move over the others, let go."""
        box = self.run(
            "const box = document.getElementById('source').getBoundingClientRect();"
            "return [box.left, box.top, box.width / arguments[0], box.height / arguments[1]]",
            *SIZE[::-1],
        )
        actions = webdriver.ActionChains(self.driver, duration=0)
        for number, (x, y) in enumerate(points):
            place = round(box[0] + (x + 0.5) * box[2]), round(box[1] + (y + 0.5) * box[3])
            actions.w3c_actions.pointer_action.move_to_location(*place)
            if number == 0:
                actions.w3c_actions.pointer_action.pointer_down()
        actions.w3c_actions.pointer_action.pointer_up()
        actions.perform()
        self.settle()

    def drop(self, name, contents, times=1):
        self.run(
            "const [name, text, times] = arguments;"
            "const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));"
            "const dataTransfer = new DataTransfer();"
            "dataTransfer.items.add(new File(Array(times).fill(bytes), name));"
            "document.getElementById('source').dispatchEvent("
            "  new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}))",
            name,
            base64.b64encode(contents).decode(),
            times,
        )

    def keys(self, *keys):
        self.find("source").send_keys(*keys)
        self.settle()


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(3)
    network = unet_generator((*SIZE, 3), filters=4, num_downsamples=4)
    network.set_weights([weight * 3 for weight in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def exported(generator, tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported") / "page"
    export_web(generator, directory, quantization="none")
    return directory


def start_browser(*flags):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, *flags):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with start_browser(f"--user-data-dir={tmp_path_factory.mktemp('profile')}") as driver:
        yield driver


@pytest.fixture
def serve(tmp_path, driver):
    """A function from a folder to the page in it, opened; LiteRT.js comes from where `make web` has put it."""
    servers = []

    def start(directory, runtime=True, query="", browser=driver, wait=True):
        directory = Path(directory)
        copy = tmp_path / f"served{len(servers)}"
        shutil.copytree(directory, copy)
        if runtime:
            shutil.copytree(RUNTIME, copy / "node_modules", copy_function=os.link)
        server = page_server(copy)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        page = Page(browser, f"http://127.0.0.1:{server.server_port}/")
        page.folder = tmp_path
        return page.open(query, wait)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def page(serve, exported):
    page = serve(exported)
    assert not page.problem()
    return page


def assert_agrees(page, generator):
    """What is shown is what the Keras model makes of what is shown beside it: the threshold of a float32 file."""
    expected = np.asarray(serving_model(generator)(page.pixels("source")[np.newaxis]))[0].astype(int)
    assert expected.std() > 10
    assert np.abs(page.pixels("generated") - expected).max() <= 1


def color_of(page, index):
    text = page.run(f"return document.querySelectorAll('[name=color]')[{index}].value")
    return tuple(bytes.fromhex(text[1:]))


def choose(page, name, index):
    page.run(f"document.querySelectorAll('[name={name}]')[{index}].click()")


def test_the_first_sample_is_there_and_translated(page, generator):
    np.testing.assert_array_equal(page.pixels("source"), _drawn_sources(SIZE, 3)[0])
    assert_agrees(page, generator)
    assert page.find("time").text.endswith(" ms")
    assert "threads" in page.find("about").text


def test_a_rectangle_is_exact_and_translated(page, generator):
    before = page.pixels("source").copy()
    choose(page, "color", 2)
    page.draw((10, 20), (40, 30), (50, 25))
    before[20:26, 10:51] = color_of(page, 2)
    np.testing.assert_array_equal(page.pixels("source"), before)
    assert_agrees(page, generator)


def test_a_brush_has_its_size_and_no_smooth_edge(page, generator):
    page.click("#clear")
    blank = page.pixels("source").copy()
    assert len(np.unique(blank.reshape(-1, 3), axis=0)) == 1
    choose(page, "tool", 1)
    choose(page, "color", 3)
    painted = []
    for size in (0, 3):
        choose(page, "size", size)
        page.draw((10, 30), (80, 30))
        seen = page.pixels("source")
        stroke = (seen == color_of(page, 3)).all(axis=-1)
        np.testing.assert_array_equal(seen[~stroke], blank[~stroke])
        assert stroke[30, 10:81].all()
        painted.append(stroke[:, 45].sum())
        assert_agrees(page, generator)
    assert painted[1] == 7 > painted[0]  # A brush of 24 for 256 pixels, 6 for 64: its middle, and 3 on either side.


def test_fill_undo_and_clear(page, generator):
    page.click("#clear")
    blank = page.pixels("source").copy()
    choose(page, "color", 2)
    page.draw((0, 0), (40, 40))
    drawn = page.pixels("source").copy()
    choose(page, "tool", 2)
    choose(page, "color", 3)
    page.draw((60, 60))
    filled = page.pixels("source").copy()
    expected = drawn.copy()
    expected[(drawn == blank).all(axis=-1)] = color_of(page, 3)
    np.testing.assert_array_equal(filled, expected)
    for wanted in (drawn, blank):
        page.click("#undo")
        np.testing.assert_array_equal(page.pixels("source"), wanted)
    assert page.find("status").text == "Undone"
    page.click("#undo")  # What was cleared.
    np.testing.assert_array_equal(page.pixels("source"), _drawn_sources(SIZE, 3)[0])
    assert not page.find("undo").is_enabled()
    assert_agrees(page, generator)


def test_samples_and_files(page, generator, tmp_path):
    samples = _drawn_sources(SIZE, 3)
    page.click("#samples button:nth-child(3)")
    page.wait(lambda: page.find("status").text == "Sample 3 loaded")
    page.settle()
    np.testing.assert_array_equal(page.pixels("source"), samples[2])
    picture = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "noise.png")
    page.find("file").send_keys(str(tmp_path / "noise.png"))
    page.wait(lambda: page.find("status").text == "Picture loaded")
    page.settle()
    np.testing.assert_array_equal(page.pixels("source"), picture)
    assert_agrees(page, generator)


def test_a_dropped_picture_is_cut_to_the_proportions_and_resized(page, generator, tmp_path):
    picture = np.zeros((300, 300, 3), np.uint8)
    picture[50:250, :150] = (200, 100, 50)  # Of the 300 x 200 in the middle, the left half.
    Image.fromarray(picture).save(tmp_path / "square.png")
    page.drop("square.png", (tmp_path / "square.png").read_bytes())
    page.wait(lambda: page.find("status").text == "Picture loaded")
    page.settle()
    seen = page.pixels("source").astype(int)
    np.testing.assert_allclose(seen[2:-2, :45], np.broadcast_to((200, 100, 50), (60, 45, 3)), atol=2)
    np.testing.assert_allclose(seen[2:-2, 51:], 0, atol=2)
    assert_agrees(page, generator)


def test_save_gives_the_picture_shown(page, tmp_path, driver):
    downloads = tmp_path / "downloads"
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    page.click("#save")
    file = downloads / "generated.png"
    page.wait(file.is_file)
    np.testing.assert_array_equal(np.asarray(Image.open(file).convert("RGB")), page.pixels("generated"))


def test_everything_can_be_done_by_keys(page, generator):
    page.click("#clear")
    before = page.pixels("source").copy()
    page.keys("r", "3", Keys.ARROW_LEFT, " ")
    assert "First corner" in page.find("status").text
    assert page.find("cursor").is_displayed()
    page.keys(Keys.SHIFT + Keys.ARROW_RIGHT + Keys.NULL, Keys.ARROW_DOWN, " ")
    drawn = before.copy()
    drawn[32:41, 40:42] = color_of(page, 2)
    np.testing.assert_array_equal(page.pixels("source"), drawn)
    page.keys("b", "]", "2", " ")
    drawn_by_brush = (page.pixels("source") == color_of(page, 1)).all(axis=-1)
    assert drawn_by_brush[40, 41]
    assert drawn_by_brush.sum() > 9
    page.keys("f", "4", " ")
    assert (page.pixels("source")[40, 41] == color_of(page, 3)).all()
    assert_agrees(page, generator)
    for _ in range(3):
        page.keys(Keys.CONTROL + "z" + Keys.NULL)
    np.testing.assert_array_equal(page.pixels("source"), before)


def test_every_control_has_a_name_and_what_happens_is_said(page):
    controls = page.driver.find_elements("css selector", "button, input, canvas, summary")
    assert len(controls) > 20
    for control in controls:
        assert control.accessible_name, control.get_attribute("outerHTML")
    assert page.find("status").get_attribute("aria-live") == "polite"
    assert page.find("problem").get_attribute("role") == "alert"


def test_the_camera_runs_through_the_model_until_it_is_stopped(page, generator):
    first = page.pixels("source").copy()
    page.run("document.getElementById('camera').click()")
    page.wait(lambda: page.find("camera").get_attribute("aria-pressed") == "true")
    page.wait(lambda: (page.pixels("source") != first).any())
    seen = page.pixels("source").copy()
    page.wait(lambda: (page.pixels("source") != seen).any())
    page.click("#camera")
    page.wait(lambda: page.find("camera").get_attribute("aria-pressed") == "false")
    page.settle()
    assert_agrees(page, generator)
    page.click("#undo")
    np.testing.assert_array_equal(page.pixels("source"), first)


def test_nothing_comes_from_elsewhere(page):
    addresses = page.run("return performance.getEntriesByType('resource').map((each) => each.name)")
    assert any(address.endswith(".wasm") for address in addresses)
    for address in addresses:
        assert address.startswith((page.address, "data:", f"blob:{page.address}"))


def test_a_phone_is_wide_enough(page, driver):
    size = driver.get_window_size()
    emulated = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", emulated)
    try:
        assert page.run("return document.documentElement.scrollWidth") <= 360
        # Both pictures at once, so that the answer is seen while a finger draws.
        boxes = [page.find(name).rect for name in ("source", "generated")]
        assert all(box["width"] > 230 for box in boxes)
        assert boxes[1]["y"] + boxes[1]["height"] < 740
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert driver.get_window_size() == size


def png_of(width, height):
    """A whole PNG by its header, and next to nothing in it."""

    def chunk(kind, contents):
        return struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", zlib.crc32(kind + contents))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def gif_bomb():
    frame = b"\x21\xf9\x04\x00\x01\x00\x00\x00\x2c\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02\x4c\x01\x00"
    return b"GIF89a\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\xff\xff\xff" + frame * 1000 + b"\x3b"


@pytest.mark.parametrize(
    ("name", "contents", "times", "words"),
    [
        ("wide.png", png_of(50_000, 50_000), 1, "wide.png can't be read as a picture"),  # Says Chromium itself.
        ("large.png", png_of(8_000, 8_000), 1, "large.png is too large, 8000 x 8000 pixels"),
        ("empty.png", b"", 1, "empty.png can't be read as a picture"),
        ("bomb.gif", gif_bomb(), 1, "bomb.gif can't be read as a picture"),
        ("text.png", b"no picture", 1, "text.png can't be read as a picture"),
        ("hollow.png", png_of(300, 200), 1, "hollow.png can't be "),
        ("long.jpg", bytes(2**20), 65, "long.jpg is too large. Accepted: up to 64 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_a_hostile_picture_ends_in_a_message(page, generator, name, contents, times, words):
    page.drop(name, contents, times)
    page.wait(lambda: words in page.problem())
    page.draw((3, 3), (30, 30))  # The page goes on.
    assert_agrees(page, generator)


def test_the_words_for_browsers_without_scripts_are_gone_while_a_large_model_loads(serve, exported, driver):
    script = "const ask = fetch; window.fetch = (url) => url.endsWith('.tflite') ? new Promise(() => {}) : ask(url)"
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        page = serve(exported, wait=False)
        page.wait(lambda: page.find("problem").get_property("hidden"))
        assert page.find("studio").get_property("inert")
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_without_the_runtime_the_page_says_what_to_run(serve, exported):
    page = serve(exported, runtime=False)
    assert "LiteRT.js is not beside this page. Run `npm install` in its folder" in page.problem()


@pytest.mark.parametrize(
    ("name", "contents", "words"),
    [
        ("settings.json", None, "settings.json is missing"),
        ("settings.json", b"{", "settings.json is broken"),
        ("page.tflite", None, "The model, page.tflite, is missing"),
        ("page.tflite", b"", "The model, page.tflite, is no .tflite file"),
        ("page.tflite", b"PK\3\4, a zip file", "The model, page.tflite, is no .tflite file"),
        ("page.tflite", b"\x1c\0\0\0TFL3" + bytes(1000), "The model file is broken"),
        ("samples/1.png", b"no picture", "samples/1.png can't be read as a picture"),
        ("check.png", png_of(96, 64)[:60], "check.png can't be"),
    ],
)
def test_a_page_with_a_part_missing_or_broken_says_which(serve, exported, tmp_path, name, contents, words):
    broken = tmp_path / "broken"
    shutil.copytree(exported, broken)
    (broken / name).unlink()
    if contents is not None:
        (broken / name).write_bytes(contents)
    page = serve(broken)
    page.wait(lambda: words in page.problem())
    assert page.find("studio").get_property("inert")


def test_a_model_that_gives_another_picture_is_not_used(serve, exported, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(exported, other)
    expected = np.asarray(Image.open(other / "check.png"))
    Image.fromarray(255 - expected).save(other / "check.png")
    assert "does not give the picture here" in serve(other).problem()


@pytest.mark.parametrize(
    ("source", "target"),
    [("classes:3", "rgb"), ("rgb", "classes:3"), ("palette:#ff0000,#0000ff,#00ff00", "gray"), ("gray", "rgba")],
)
def test_other_encodings(make_encoded_model, serve, tmp_path, source, target):
    # The page's own check compares the two.
    model = make_encoded_model(source, target, size=(32, 32))
    export_web(model, tmp_path / "n#1?%41 é", quantization="none")  # The file is named after the page.
    page = serve(tmp_path / "n#1?%41 é")
    assert not page.problem()
    labels = "return [...document.querySelectorAll('[name=' + arguments[0] + ']')].map((each) => each.ariaLabel)"
    assert page.run(labels, "size") == ["1 pixels", "2 pixels", "3 pixels", "4 pixels"]
    named = [words.partition(",")[0] for words in page.run(labels, "color")]
    start, first = ("Class", 0) if source.startswith("classes") else ("Colour", 1)
    assert named == [f"{start} {first + number}" for number in range(len(named))]
    if ":" not in source:
        return
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "noise.png")
    page.find("file").send_keys(str(tmp_path / "noise.png"))
    page.wait(lambda: page.find("status").text == "Picture loaded")
    page.settle()
    seen = page.pixels("source")
    palette = np.array([color_of(page, index) for index in range(3)])
    assert len(page.driver.find_elements("css selector", ".any")) == 0
    distances = np.square(picture[..., np.newaxis, :].astype(int) - palette).sum(axis=-1)
    nearest = np.take_along_axis(distances, distances.argmin(-1)[..., np.newaxis], -1)[..., 0]
    np.testing.assert_array_equal(np.square(picture.astype(int) - seen).sum(axis=-1), nearest)
    raw = seen
    if source.startswith("classes"):
        shown = model.source_encoding.show(np.arange(3, dtype=np.uint8)[np.newaxis, :, np.newaxis])[0]
        raw = (seen[..., np.newaxis, :] == shown).all(axis=-1).argmax(-1)[..., np.newaxis].astype(np.uint8)
    expected = np.asarray(serving_model(model)(raw[np.newaxis]))[0]
    assert np.abs(page.pixels("generated").astype(int) - expected).max() <= 1


def test_int8_as_by_default(serve, generator, tmp_path):
    export_web(generator, tmp_path / "page")
    page = serve(tmp_path / "page")
    expected = np.asarray(serving_model(generator)(page.pixels("source")[np.newaxis]))[0].astype(int)
    mean_square = np.square(page.pixels("generated") - expected).mean()
    assert 0 < mean_square < 255**2 / 10**4  # 40 dB.


def test_the_demo_from_the_command_line_to_ctrl_c(generator, driver, tmp_path):
    generator.save(tmp_path / "facades.keras")
    (tmp_path / "facades_web").mkdir()
    shutil.copytree(RUNTIME, tmp_path / "facades_web" / "node_modules")
    # What runs the tests in the background has its children ignore Ctrl-C.
    script = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script += "from keras_pix2pix.cli.main import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", script, "demo", str(tmp_path / "facades.keras"), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        for line in program.stdout:
            if line.startswith("http://127.0.0.1:"):
                page = Page(driver, line.split()[0])
                page.folder = tmp_path
                page.open()
                np.testing.assert_array_equal(page.pixels("source"), _drawn_sources(SIZE, 3)[0])
                program.send_signal(signal.SIGINT)
                break
        try:
            rest, errors = program.communicate(timeout=PATIENCE)
        finally:
            program.kill()
    assert (program.returncode, errors) == (0, "")
    assert rest.endswith("Ended.\n")


def test_on_the_processor_alone_if_the_address_says_so(serve, exported, generator):
    page = serve(exported, query="?device=wasm")
    assert "WebAssembly" in page.find("about").text
    assert_agrees(page, generator)


def test_on_a_graphics_card_or_what_stands_in_for_one(serve, exported, generator, tmp_path):
    flags = "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", f"--user-data-dir={tmp_path / 'profile'}"
    with start_browser(*flags) as browser:
        page = serve(exported, query="?device=webgpu", browser=browser)
        if page.problem():
            pytest.skip(f"WebGPU can't be had here, not even in software: {page.problem()}")
        assert "on WebGPU" in page.find("about").text
        expected = np.asarray(serving_model(generator)(page.pixels("source")[np.newaxis]))[0].astype(int)
        assert np.square(page.pixels("generated") - expected).mean() < 2  # 45 dB: cards compute in float16.


def test_a_browser_without_webassembly_is_told(serve, exported, driver):
    script = driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": "delete globalThis.WebAssembly"}
    )
    try:
        assert "This browser has no WebAssembly" in serve(exported).problem()
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_a_file_opened_without_a_server_explains_itself(exported, driver):
    driver.get((exported / "index.html").as_uri())
    page = Page(driver, "")
    page.wait(lambda: page.find("problem").is_displayed() and "web server" in page.find("problem").text)
