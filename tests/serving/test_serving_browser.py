"""The page in a real browser: typing, words, tables, errors, keyboard only, narrow screens, and without sight.

Skipped where Playwright or Chromium is missing; the accessibility check also needs axe-core in ``node_modules``.
"""

import csv
import io
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_server import Live

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra dev)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
QUIET += ["--disable-background-networking", "--disable-component-update"]
KEY = "one-0123456789abcdef"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET, headless=True)
        yield found
        found.close()


@pytest.fixture(scope="module")
def patient() -> Iterator[Live]:
    with Live() as server:
        yield server


class Tab:
    """A page with what it said to the console."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.said: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"uncaught: {error}"))
        self.page.on("request", lambda request: self._note(request.url, url))
        self.page.goto(url)

    def _note(self, asked: str, url: str) -> None:
        if not asked.startswith((url, "blob:")):
            self.elsewhere.append(asked)

    def write(self, text: str) -> None:
        self.page.fill("#text", text)
        self.until("document.querySelector('#summary').textContent.match(/Found|No emotion/)")

    def until(self, condition: str) -> None:
        """Wait for an expression to be true (Playwright's own wait needs ``eval``, which the page's policy forbids)."""
        deadline = time.monotonic() + 20
        while not self.page.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < deadline, condition
            self.page.wait_for_timeout(30)

    def found(self) -> list[str]:
        return [str(name) for name in self.page.locator("#bars .hit .name").all_text_contents()]


@pytest.fixture
def tab(browser: Any, patient: Live) -> Iterator[Tab]:
    opened = Tab(browser, patient.url, viewport={"width": 1280, "height": 900})
    opened.page.wait_for_selector("#sets input")
    yield opened
    assert opened.said == []
    assert opened.elsewhere == []
    opened.context.close()


def test_emotions_appear_as_the_writer_pauses(tab: Tab) -> None:
    tab.page.locator("#text").press_sequentially("I am happy and sad", delay=5)
    tab.page.wait_for_selector("#bars .hit")
    tab.until("document.querySelectorAll('#bars .hit').length === 2")
    assert sorted(tab.found()) == ["joy", "sadness"]
    assert "joy" in tab.page.text_content("#summary")
    assert "ms" in tab.page.text_content("#latency")
    tick, fill = tab.page.locator("#bars .hit .tick").first, tab.page.locator("#bars .hit .fill").first
    assert tick.bounding_box()["x"] < fill.bounding_box()["x"] + fill.bounding_box()["width"]
    tab.page.fill("#text", "")
    tab.until("document.querySelector('#summary').textContent.includes('Nothing to read')")
    assert tab.page.locator("#bars button").count() == 0


def test_words_are_coloured_for_the_emotion_pointed_at(tab: Tab) -> None:
    tab.write("😂 I am happy, thanks")
    tab.page.hover('#bars button[data-label="joy"]')
    tab.until("document.querySelector('#words-title').textContent.includes('joy')")
    marks = tab.page.locator("#marked .mark.for")
    assert "happy" in marks.all_text_contents()
    assert tab.page.text_content("#marked") == "😂 I am happy, thanks"
    tab.page.hover('#bars button[data-label="gratitude"]')
    tab.until("document.querySelector('#words-title').textContent.includes('gratitude')")
    assert "thanks" in marks.all_text_contents()


def test_an_emotion_below_its_threshold_is_explained_too(tab: Tab) -> None:
    tab.write("I am happy")
    tab.page.click("#more")
    assert tab.page.locator("#bars button").count() == 28
    tab.page.hover('#bars button[data-label="fear"]')
    tab.until("document.querySelector('#words-title').textContent.includes('fear')")
    tab.page.click("#more")
    assert tab.page.locator("#bars button").count() == 5


def test_a_text_too_long_to_explain_says_so(tab: Tab) -> None:
    tab.write("happy " * 400)
    tab.until("document.querySelector('#marked').textContent.includes('up to 2,000 characters')")
    assert "overlapping parts" in tab.page.text_content("#summary")


def test_label_sets_are_switched(tab: Tab) -> None:
    tab.write("I am happy")
    tab.page.check('#sets input[value="sentiment"]', force=True)
    tab.page.wait_for_selector('#bars button[data-label="positive"].hit')
    assert tab.page.locator("#bars button").count() == 4


def test_examples_show_what_makes_them_hard(tab: Tab) -> None:
    assert tab.page.locator("#hard button").count() >= 6
    tab.page.click("#hard button >> nth=0")
    tab.page.wait_for_selector("#bars button")
    assert "hard" in tab.page.text_content("#why")
    tab.page.click("#plain button >> nth=0")
    tab.until("document.querySelector('#why').hidden")


def test_the_card_and_the_limits_are_plain_to_see(tab: Tab) -> None:
    assert "letters, version 1.2" in tab.page.text_content("#model-line")
    figures = tab.page.text_content("#figures")
    assert all(part in figures for part in ("macro-F10.500 0.450 to 0.550", "calibration error0.063", "100 texts"))
    assert "Do not judge" in tab.page.text_content(".limits")
    tab.page.click("text=Model card")
    assert tab.page.locator("#card-text h3").all_text_contents() == ["Letters", "Limits"]
    tab.page.click("text=Use it from a program")
    assert "/v1/classify" in tab.page.text_content("#curl")


def choose(tab: Tab, name: str, content: bytes) -> None:
    tab.page.set_input_files("#pick", files=[{"name": name, "mimeType": "text/csv", "buffer": content}])


def download(tab: Tab) -> str:
    tab.page.click("#start")
    tab.page.wait_for_selector("#result-box:not([hidden])")
    with tab.page.expect_download() as caught:
        tab.page.click("#download")
    return Path(caught.value.path()).read_text(encoding="utf-8")


def test_a_table_comes_back_with_its_columns(tab: Tab) -> None:
    rows = [
        ["id", "note", "when"],
        *[[str(n), ["happy, really", 'so "sad"', "=1+1", ""][n % 4], "-5"] for n in range(250)],
    ]
    source = io.StringIO()
    csv.writer(source).writerows(rows)
    choose(tab, "notes.csv", source.getvalue().encode())
    tab.page.wait_for_selector("#table-box:not([hidden])")
    assert tab.page.locator("#column option:checked").text_content() == "note"
    back = list(csv.reader(io.StringIO(download(tab), newline="")))
    assert back[0] == ["id", "note", "when", "affekt_emotions", "affekt_top", "affekt_top_score"]
    assert len(back) == 251
    assert [row[:1] + row[2:3] for row in back[1:]] == [row[:1] + row[2:] for row in rows[1:]]
    assert (back[1][1], back[1][3], back[2][3]) == ("happy, really", "joy", "sadness")
    assert back[3][1] == "'=1+1"
    assert back[4][3:] == ["", "", ""]
    chart = tab.page.locator("#chart li").all_text_contents()
    assert sorted(line.split("6")[0] for line in chart) == ["joy", "sadness"]
    assert "62 rows left empty" in tab.page.text_content("#file-status")


def test_every_score_on_request_and_another_delimiter(tab: Tab) -> None:
    choose(tab, "notes.tsv", "text\tn\nhappy\t1\nsad\t2\n".encode("utf-16"))
    tab.page.check('#sets input[value="ekman"]', force=True)
    tab.page.check("#all-scores")
    back = list(csv.reader(io.StringIO(download(tab), newline=""), delimiter="\t"))
    assert back[0][5:] == [
        f"affekt_{name}" for name in ["anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral"]
    ]
    assert float(back[1][8]) > 0.5 > float(back[2][8])


def test_rows_can_be_pasted(tab: Tab) -> None:
    tab.page.click("text=Paste rows instead")
    tab.page.fill("#paste", "happy one\nhappy two\nsad three")
    tab.page.click("#paste-use")
    tab.page.uncheck("#header")
    assert "3 rows" in tab.page.text_content("#table-name")
    assert download(tab).splitlines()[1].startswith("happy one,joy")


def test_a_file_can_be_dropped(tab: Tab) -> None:
    tab.page.evaluate(
        """() => { const data = new DataTransfer();
        data.items.add(new File(["text\\nhappy\\n"], "dropped.csv", { type: "text/csv" }));
        const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true });
        document.querySelector("#file").dispatchEvent(drop); }"""
    )
    tab.page.wait_for_selector("#table-box:not([hidden])")
    assert "dropped.csv · 1 row" in tab.page.text_content("#table-name")


def test_an_empty_file_is_said_to_be_one(tab: Tab) -> None:
    choose(tab, "empty.csv", b"")
    tab.until("document.querySelector('#file-error').textContent.includes('no rows')")


def test_another_table_can_be_chosen(tab: Tab) -> None:
    choose(tab, "one.csv", b"text\nhappy\n")
    tab.page.wait_for_selector("#table-box:not([hidden])")
    tab.page.click("#forget")
    assert tab.page.locator("#drop").is_visible()
    choose(tab, "two.csv", b"text\nsad\n")
    tab.until("document.querySelector('#table-name').textContent.includes('two.csv')")


def test_everything_can_be_done_by_keyboard(tab: Tab) -> None:
    press = tab.page.keyboard.press
    focused = "document.activeElement"
    tab.page.focus("body")
    press("Tab")
    seen = []
    for _ in range(60):
        seen.append(tab.page.evaluate(f"{focused}.id || {focused}.value || {focused}.textContent.trim().slice(0, 30)"))
        if seen[-1] == "text":
            break
        press("Tab")
    assert "text" in seen
    tab.page.keyboard.type("happy and sad")
    tab.until("document.querySelectorAll('#bars .hit').length === 2")
    for _ in range(30):
        press("Tab")
        if tab.page.evaluate(f"{focused}.closest('#bars') !== null"):
            break
    first = tab.page.evaluate(f"{focused}.dataset.label")
    press("ArrowDown")
    second = tab.page.evaluate(f"{focused}.dataset.label")
    assert {first, second} == {"joy", "sadness"}
    tab.until(f"document.querySelector('#words-title').textContent.includes('{second}')")
    outline = tab.page.evaluate(f"getComputedStyle({focused}).outlineStyle")
    assert outline == "solid"
    reached = set()
    for _ in range(25):
        press("Tab")
        reached.add(tab.page.evaluate(f"{focused}.id"))
    assert {"more", "pick"} <= reached


def test_themes_are_switched_and_remembered(tab: Tab) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = tab.page.evaluate(paper)
    tab.page.click("#theme")
    tab.page.click("#theme")
    assert tab.page.text_content("#theme-name") == "Dark"
    dark = tab.page.evaluate(paper)
    assert dark != light
    tab.page.reload()
    tab.page.wait_for_selector("#sets input")
    assert tab.page.evaluate(paper) == dark


@pytest.mark.parametrize("width", [320, 390, 768])
def test_it_fits_a_narrow_screen(browser: Any, patient: Live, width: int) -> None:
    tab = Tab(browser, patient.url, viewport={"width": width, "height": 700}, has_touch=True, is_mobile=True)
    tab.page.wait_for_selector("#sets input")
    tab.write("I am happy and sad, thanks, " + "unbreakable" * 20)
    choose(tab, "wide.csv", ("text," + ",".join(f"c{n}" for n in range(30)) + "\nhappy" + ",x" * 30 + "\n").encode())
    tab.page.wait_for_selector("#table-box:not([hidden])")
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    tab.page.tap("#bars button >> nth=1")
    assert tab.said == []
    tab.context.close()


def test_a_server_that_is_gone_is_said_to_be(browser: Any) -> None:
    with Live() as server:
        tab = Tab(browser, server.url)
        tab.page.wait_for_selector("#sets input")
        tab.write("happy")
    tab.page.fill("#text", "sad")
    tab.page.wait_for_selector("#error:not([hidden])")
    assert "cannot be reached" in tab.page.text_content("#error")
    tab.context.close()


def test_a_busy_server_is_asked_again(browser: Any, patient: Live) -> None:
    tab = Tab(browser, patient.url)
    tab.page.wait_for_selector("#sets input")
    refusals = [2]

    def refuse(route: Any) -> None:
        if refusals[0]:
            refusals[0] -= 1
            body = '{"error": {"code": "overloaded", "message": "Come again.", "field": null}}'
            route.fulfill(status=429, body=body, headers={"retry-after": "1", "content-type": "application/json"})
        else:
            route.continue_()

    tab.page.route("**/v1/classify", refuse)
    tab.page.fill("#text", "happy")
    tab.page.wait_for_selector("#error:not([hidden])")
    assert "Trying again in 1 second" in tab.page.text_content("#error")
    tab.page.wait_for_selector("#bars .hit")
    assert tab.page.locator("#error").is_hidden()
    refusals[0] = 1
    choose(tab, "notes.csv", b"text\nhappy\n")
    assert "joy" in download(tab)
    tab.context.close()


def test_a_server_with_keys_asks_for_one(browser: Any) -> None:
    os.environ["AFFEKT_TEST_KEY"] = KEY
    try:
        with Live() as server:
            tab = Tab(browser, server.url)
            tab.page.wait_for_selector("#key-dialog[open]")
            tab.page.fill("#key", "wrong-0123456789abcdef")
            tab.page.click("#key-use")
            tab.until("document.querySelector('#key-dialog').open && !document.querySelector('#key').value")
            tab.page.fill("#key", KEY)
            tab.page.keyboard.press("Enter")
            tab.page.wait_for_selector("#sets input")
            tab.write("happy")
            assert tab.found() == ["joy"]
            tab.context.close()
    finally:
        del os.environ["AFFEKT_TEST_KEY"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_wrong(browser: Any, patient: Live, scheme: str, width: int) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed (npm install --no-save axe-core)")
    tab = Tab(browser, patient.url, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    tab.page.wait_for_selector("#sets input")
    tab.page.add_script_tag(path=str(AXE))
    assert violations(tab) == []
    tab.write("I am happy and not sad")
    tab.page.wait_for_selector("#marked .mark")
    tab.page.click("#more")
    choose(tab, "notes.csv", b"text,n\nhappy,1\nsad,2\n")
    for summary in tab.page.locator("summary").all():
        if summary.is_visible():
            summary.click()
    download(tab)
    tab.page.wait_for_timeout(400)
    assert violations(tab) == []
    tab.page.evaluate("document.querySelector('#key-dialog').showModal()")
    assert violations(tab) == []
    tab.context.close()


def violations(tab: Tab) -> list[str]:
    tags = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"
    found = tab.page.evaluate(f"axe.run(document, {{ runOnly: {tags} }})")
    return [f"{entry['id']}: {[node['html'] for node in entry['nodes']]}" for entry in found["violations"]]
