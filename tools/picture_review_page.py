"""Makes the pictures of the review page in docs/pictures from the bundled clip: run it when the page changes.

What was reviewed before, and so the figures beside the picture, is made up: strong boxes are right.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from vedette.infer.load import DetectorSpec
from vedette.quality.labels.dataset import Box
from vedette.quality.review.frames import Frame
from vedette.quality.review.rows import Final, Item, Prediction, Review, State, Verdict
from vedette.quality.review.store import Store
from vedette.quality.validate.predict import Predictor, load

ROOT = Path(__file__).parent.parent
CLIP = ROOT / "src/vedette/assets/driveway.mov"
PICTURES = ROOT / "docs/pictures"

EVERY, START = 12, 1_795_000_000.0
CLASSES = ("person", "car")
COLOURS, PAGES = 256, 3
"""So that a picture takes less than 300 kB."""


def fill(store: Store) -> None:
    """Frames of the clip, most of them reviewed."""
    predictor = Predictor(load(DetectorSpec(runtime="onnxruntime")))
    with av.open(str(CLIP)) as clip:
        for number, frame in enumerate(clip.decode(video=0)):
            if number % EVERY:
                continue
            found = predictor.boxes_in(frame)
            said = tuple(
                Prediction(tuple(map(float, xyxy)), name, float(score))  # type: ignore[arg-type]
                for xyxy, name, score in zip(found.xyxy, found.class_name, found.confidence, strict=True)
            )
            picture = frame.to_ndarray(format="rgb24")
            at = START + number * 60
            store.add(Frame(picture, "driveway", at, "picodet", said, light="day", probability=0.02))
    # What is left is what the pictures show: two for each page.
    items = sorted(store.items(), key=strong, reverse=True)
    for item in items[2 * PAGES :]:
        store.review(item.id, review(item))


def strong(item: Item) -> tuple[int, float]:
    """How many strong boxes there are, and how strong the strongest is."""
    scores = [each.score for each in item.predictions if each.label in CLASSES and each.score >= 0.4]
    return len(scores), max(scores, default=0.0)


def review(item: Item) -> Review:
    verdicts: list[Verdict | None] = [None] * len(item.predictions)
    boxes = []
    for number, each in enumerate(item.predictions):
        if each.label in CLASSES and each.score >= 0.4:
            right = each.score >= 0.45
            verdicts[number] = Verdict.ACCEPTED if right else Verdict.REJECTED
            boxes += [Final(Box(each.xyxy, each.label), number)] if right else []
        elif each.label in CLASSES and each.score >= 0.33:
            verdicts[number] = Verdict.ACCEPTED
            boxes.append(Final(Box(each.xyxy, each.label), number))
    return Review(State.REVIEWED, tuple(boxes), tuple(verdicts), CLASSES, "ada", 4.0, time.time())


def work(page: Page) -> None:
    """A verdict for two boxes."""
    page.wait_for_selector("[data-ready]")
    page.wait_for_selector(".vr-figure")
    for key in ("a", "r"):
        page.keyboard.press(key)


def take(browser: Browser, url: str, name: str, **options: object) -> None:
    context = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    work(page)
    page.wait_for_timeout(400)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURES / f"review-{name}.png", optimize=True)
    context.close()


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "yard"
        with Store.open(folder) as store:
            fill(store)
        command = [sys.executable, "-m", "vedette.cli", "review", str(folder), "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                found = re.search(r"http\S+", server.stdout.readline())
                assert found is not None
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(
                        executable_path="/usr/bin/chromium",
                        args=["--no-sandbox", "--disable-quic", "--disable-background-networking"],
                    )
                    wide = {"width": 1280, "height": 760}
                    take(browser, found[0], "light", viewport=wide, color_scheme="light")
                    take(browser, found[0], "dark", viewport=wide, color_scheme="dark")
                    phone = {"width": 390, "height": 844}
                    take(browser, found[0], "phone", viewport=phone, color_scheme="light", has_touch=True)
                    browser.close()
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
