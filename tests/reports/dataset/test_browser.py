"""The page in Chromium: it filters, tells the depth, loads nothing, and anybody can use it."""

from __future__ import annotations

import base64
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask.reading.dataset import Dataset, open
from depthmask.reports.colormap import colour
from depthmask.reports.dataset.page import report

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.tools,
    pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium"),
]

from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright  # noqa: E402

ENDS = ("near", "far")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def file(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browser") / "report.html"
    path.write_text(report(open(made)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    """The page; whatever it complains of or asks the network for makes its test fail."""
    said: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url))
    page.goto(file.as_uri())
    yield page
    page.close()
    assert [text for text in said if not text.startswith("data:")] == [file.as_uri()]


def shown(page: Page) -> Locator:
    return page.locator("article:visible")


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"[data-filter={name}]").select_option(value)


def matching(dataset: Dataset, background: str, foreground: str, split: str) -> int:
    return sum(
        sample.meta["background"] == background
        and foreground in [layer["foreground"] for layer in sample.meta["layers"]]
        and sample.meta["split"] == split
        for sample in dataset
    )


def metres(card: Locator) -> float:
    """The depth that a card tells."""
    number, unit = str(card.locator("output").text_content()).split()
    assert unit == "m"
    return float(number)


def test_filters_work_together(page: Page, made: Path, evil_name: str) -> None:
    dataset = open(made)
    keys = {sample.meta["background"]: sample.meta["split"] for sample in dataset}
    split = keys[evil_name]
    wanted = [sample for sample in dataset if sample.meta["background"] == evil_name]
    foreground = wanted[0].meta["layers"][0]["foreground"]
    expect(shown(page)).to_have_count(24)
    choose(page, "background", evil_name)
    expect(shown(page)).to_have_count(min(24, len(wanted)))
    choose(page, "foreground", foreground)
    count = matching(dataset, evil_name, foreground, split)
    assert 0 < count <= 24
    expect(shown(page)).to_have_count(count)
    option = page.locator(f"[data-filter=split] option[value={split}]")
    assert option.text_content() == f"{split}: {count}"
    assert f"{count} matching the filter" in str(page.locator("#shown").text_content())
    # What would leave nothing cannot be chosen.
    others = [name for name in dataset.splits if name != split]
    assert page.locator(f"[data-filter=split] option[value={others[0]}]").is_disabled()
    page.get_by_role("button", name="Reset").click()
    expect(shown(page)).to_have_count(24)


def test_the_gallery_by_class(page: Page, made: Path) -> None:
    boxes = [
        sample
        for sample in open(made)
        if "box" in [layer["label"] for layer in sample.meta["layers"]]
    ]
    choose(page, "label", "box")
    expect(shown(page)).to_have_count(min(24, len(boxes)))
    option = page.locator("[data-filter=label] option[value=box]")
    assert option.text_content() == f"box: {len(boxes)}"


def test_the_rest_is_shown_by_the_button(page: Page) -> None:
    page.get_by_role("button", name="Show more").click()
    expect(shown(page)).to_have_count(48)
    # The keyboard goes on where the new ones begin.
    assert page.evaluate("document.activeElement.closest('article').dataset.number") == "24"
    page.get_by_role("button", name="Show more").click()
    expect(shown(page)).to_have_count(60)
    assert page.locator("#more").is_hidden()


def test_order(page: Page, made: Path) -> None:
    areas = {sample.index: sample.mask.mean() for sample in open(made)}
    page.locator("[data-order]").select_option("-area")
    first = shown(page).first.get_attribute("data-number")
    assert areas[int(str(first))] == max(areas.values())


def test_depth_under_the_pointer(page: Page, made: Path) -> None:
    sample = open(made)[3]
    assert sample.depth is not None
    card = page.locator("article[data-number='3']")
    card.scroll_into_view_if_needed()
    for picture in ("canvas", "img >> nth=0"):
        box = card.locator(picture).bounding_box()
        assert box is not None
        for row, column in ((2, 29), (17, 4)):
            page.mouse.move(
                box["x"] + (column + 0.5) / 32 * box["width"],
                box["y"] + (row + 0.5) / 32 * box["height"],
            )
            assert metres(card) == pytest.approx(float(sample.depth[row, column]), abs=0.006)
    page.mouse.move(0, 0)
    expect(card.locator("output")).to_have_text("")


def test_depth_by_the_keyboard(page: Page, made: Path) -> None:
    sample = open(made)[0]
    assert sample.depth is not None
    card = page.locator("article[data-number='0']")
    page.locator("[data-order]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Sample 0: image, mask and depth"
    for key in ("ArrowUp", "Shift+ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    assert metres(card) == pytest.approx(float(sample.depth[15, 7]), abs=0.006)


def test_depth_has_the_colours_of_the_preview(page: Page, made: Path) -> None:
    sample = open(made)[0]
    assert sample.depth is not None
    expect(page.locator("canvas").first).not_to_have_attribute("data-planes", re.compile("."))
    address = page.evaluate("document.querySelector('canvas').toDataURL()")
    content = base64.b64decode(address.partition(",")[2])
    shown = np.array(Image.open(io.BytesIO(content), formats=["PNG"]).convert("RGB"), int)
    near, far = (float(str(page.locator("#cards").get_attribute(f"data-{end}"))) for end in ENDS)
    # The page has 256 colours.
    assert np.abs(shown - colour(sample.depth, near, far)).max() <= 6


def test_a_sample_can_be_enlarged(page: Page) -> None:
    card = page.locator("article").first
    before = card.bounding_box()
    card.get_by_role("button", name="Enlarge").click()
    after = card.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > 1.8 * before["width"]
    assert card.locator("[aria-expanded=true]").count() == 1


def test_bars_have_a_tooltip_with_their_values(page: Page) -> None:
    bar = page.locator("figure [aria-roledescription=bar]").first
    bar.hover()
    assert re.fullmatch(r"[\d.]+ to [\d.]+ m: .*%", str(page.locator("#tip").text_content()))


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(page: Page, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
    # Nothing sticks out at the side.
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_foreign_names_are_text(page: Page) -> None:
    assert page.locator("#evil").count() == 0
    assert page.title().startswith("a <dataset> & more")
