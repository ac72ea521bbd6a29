"""The window in headless Chromium, with gradio behind it; skipped where one of the two is missing.

EXPLORE_SCREENSHOTS=DIR keeps the screenshots.
"""

import importlib.util
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with chromedriver"),
    *(
        pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"no {name}")
        for name in ("gradio", "selenium")
    ),
]
# `explore` as the command line runs it
VERB = "from dataset_dm.cli import VERBS, main; VERBS.setdefault('explore', ''); raise SystemExit(main())"
TIMEOUT = 300  # seconds; a busy machine starts a browser slowly


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(word)
    options.add_argument("--window-size=1500,1300")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_page_load_timeout(TIMEOUT)
    yield driver
    driver.quit()


class Pages:
    """A window under test: what it shows, and its controls by their labels."""

    def __init__(self, browser: Any, *words: str) -> None:
        self.browser = browser
        command = ["-c", VERB, "explore", *words]
        self.server = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Pages":
        line = self.server.stdout.readline()
        self.browser.get(re.search(r"http://127\.0\.0\.1:\d+", line)[0])
        return self

    def __exit__(self, *exception: object) -> None:
        self.server.send_signal(signal.SIGINT)
        self.server.communicate(timeout=TIMEOUT)

    def all(self, css: str) -> list[Any]:
        return self.browser.find_elements("css selector", css)

    def numbers(self) -> list[str]:
        return self.browser.execute_script("return [...document.querySelectorAll('.dm-facts b')].map(e => e.innerText)")

    def titles(self) -> list[str]:
        """Of the first card's panels."""
        script = "return [...(document.querySelector('.dm-card') ?? document).querySelectorAll('figcaption')]"
        return self.browser.execute_script(script + ".map(e => e.innerText)")

    def until(self, holds: Any) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.browser, TIMEOUT, poll_frequency=0.2).until(lambda _: holds())

    def tick(self, label: str) -> None:
        (box,) = self.browser.find_elements("xpath", f"//label[.//span[normalize-space()='{label}']]/input")
        box.click()

    def keep(self, name: str) -> Image.Image:
        """A screenshot of the window."""
        png = self.browser.get_screenshot_as_png()
        if folder := os.environ.get("EXPLORE_SCREENSHOTS"):
            Path(folder, f"{name}.png").write_bytes(png)
        return Image.open(io.BytesIO(png)).convert("RGB")


def test_paging_overlays_and_filters(browser: Any, one: Path) -> None:
    with Pages(browser, str(one)) as pages:
        pages.until(lambda: pages.numbers() == ["#10", "#11", "#12", "#13", "#14"])
        assert pages.titles() == ["image", "classes"]
        assert "left out when it was made: low_confidence 2" in pages.all("body")[0].text
        image, label = pages.all(".dm-card img")[:2]
        assert image.size == label.size and image.location["y"] == label.location["y"]
        pages.tick("depth")
        pages.until(lambda: pages.titles() == ["image", "classes", "depth"])
        pages.tick("boxes")
        pages.tick("classes")
        pages.until(lambda: pages.titles() == ["image", "depth"])
        colours = pages.keep("overlays").getcolors(maxcolors=2**24)
        assert len(colours) > 50  # depth colours and a legend, not an empty page
        label = "//label[.//span[normalize-space()='Words of the prompt']]"
        words = browser.find_element("xpath", f"{label}//*[self::input or self::textarea]")
        words.send_keys("dog\n")
        pages.until(lambda: pages.numbers() == ["#11", "#14"])
        assert pages.all("#dm-summary")[0].text == "page 1 of 1 · 2 of 5 samples"
        pages.keep("filtered")


def test_two_annotators_side_by_side(browser: Any, one: Path, other: Path) -> None:
    with Pages(browser, str(one), "--compare", str(other)) as pages:
        pages.until(lambda: pages.titles() == ["image", "A classes", "B classes", "differences"])
        text = pages.all("body")[0].text
        assert "A one (first)" in text and "B other (second)" in text and "not in B" in text
        pages.keep("compared")
