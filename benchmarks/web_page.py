"""The page of a run in Chromium, as the README shows it: a sample, changed by a few strokes.

keras-pix2pix demo run --install   # Ctrl-C, once it is served
python benchmarks/web_page.py run
"""

import argparse
import io
import shutil
import threading
import time
from pathlib import Path

from PIL import Image
from selenium import webdriver

from keras_pix2pix.deploy.page_server import page_server

SIZE = (1200, 800)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]
# (colour as its place in the palette, from (x, y) to (x, y) in 256ths of the picture): two balconies and a door.
RECTANGLES = [(6, (92, 116), (132, 128)), (6, (148, 116), (188, 128)), (3, (84, 214), (104, 250))]


def main(arguments=None):
    """Serve, draw, look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--output", type=Path, default=Path("docs/guides/pictures/web_page.png"))
    parser.add_argument("--sample", type=int, default=1, help="which of the samples, from 1")
    options = parser.parse_args(arguments)
    page = options.run / "web"
    if not (page / "node_modules").is_dir():
        parser.error(f"{page} has no page with LiteRT.js. Run: keras-pix2pix demo {options.run} --install")

    browser_options = webdriver.ChromeOptions()
    browser_options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    for flag in FLAGS:
        browser_options.add_argument(flag)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with page_server(page) as server, webdriver.Chrome(options=browser_options, service=service) as driver:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False},
        )
        driver.get(f"http://127.0.0.1:{server.server_port}/")
        wait(driver, "!document.getElementById('studio').inert")
        driver.execute_script(f"document.querySelectorAll('#samples button')[{options.sample - 1}].click()")
        wait(driver, f"document.getElementById('status').textContent === 'Sample {options.sample} loaded'")
        for color, first, second in RECTANGLES:
            driver.execute_script(f"document.querySelectorAll('[name=color]')[{color}].click()")
            draw(driver, first, second)
        for _ in range(3):  # The first pictures take longer.
            driver.execute_script("document.getElementById('clear').click(); document.getElementById('undo').click()")
            wait(driver, "document.getElementById('generated').ariaBusy === 'false'")
        driver.execute_script("document.getElementById('status').textContent = 'Ready'")
        seen = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
        server.shutdown()
    seen.quantize(256, kmeans=3).save(options.output, optimize=True)  # A third of the bytes.
    print(options.output)


def draw(driver, *points):
    box = driver.find_element("id", "source").rect
    pointer = webdriver.ActionChains(driver, duration=0).w3c_actions
    for number, (x, y) in enumerate(points):
        left, top = box["x"] + x / 256 * box["width"], box["y"] + y / 256 * box["height"]
        pointer.pointer_action.move_to_location(round(left), round(top))
        if number == 0:
            pointer.pointer_action.pointer_down()
    pointer.pointer_action.pointer_up()
    pointer.perform()
    wait(driver, "document.getElementById('generated').ariaBusy === 'false'")


def wait(driver, condition):
    end = time.monotonic() + 120
    time.sleep(0.2)
    while not driver.execute_script(f"return {condition}"):
        problem = driver.find_element("id", "problem")
        if time.monotonic() > end or (problem.is_displayed() and not problem.get_attribute("class")):
            raise SystemExit(problem.text or f"Not in two minutes: {condition}")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
