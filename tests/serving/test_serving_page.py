"""The page's files: complete, from this server only, and its table code on tables of every kind (run by Node)."""

import csv
import io
import json
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from affekt.models import SHIPPED

PAGE = Path(str(files("affekt.serving.page")))
SCRIPTS = sorted(PAGE.glob("*.js"))


def test_every_file_is_served_with_its_kind(client: TestClient) -> None:
    kinds = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for file in PAGE.iterdir():
        if file.suffix in kinds:
            answer = client.get("/" if file.name == "index.html" else f"/page/{file.name}")
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(kinds[file.suffix])
            assert answer.content == file.read_bytes()


def test_who_has_a_file_is_not_sent_it_again(client: TestClient) -> None:
    tag = client.get("/page/app.js").headers["etag"]
    again = client.get("/page/app.js", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/page/__init__.py", "/page/", "/page/../app.py", "/page/nothing.js", "/index.html"])
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_server_can_do_without_a_page(make_client: "object") -> None:
    client = make_client(page=False)  # type: ignore[operator]
    assert client.get("/").status_code == 404
    assert client.get("/page/app.js").status_code == 404


def test_nothing_comes_from_elsewhere_and_nothing_is_inline() -> None:
    markup = (PAGE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"\son\w+=|style=|<style|javascript:|<script(?![^>]*\ssrc=)", markup)
    for file in [*SCRIPTS, PAGE / "style.css", PAGE / "index.html"]:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"https?://|//cdn|@import|url\(", text), file.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            file.name
        )


def test_every_element_that_a_script_asks_for_is_there() -> None:
    markup = (PAGE / "index.html").read_text(encoding="utf-8")
    there = set(re.findall(r'\sid="([^"]+)"', markup))
    assert len(there) == len(re.findall(r'\sid="', markup)), "an id occurs twice"
    asked = {name for file in SCRIPTS for name in re.findall(r'\$\("([^"]+)"\)', file.read_text(encoding="utf-8"))}
    assert asked <= there


def node(script: str, given: object = None) -> object:
    """What a script prints as JSON; it finds ``given`` under that name and the page's modules beside it."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not installed, so the page's scripts cannot be run")
    source = f"const given = {json.dumps(given)};\n{script}"
    done = subprocess.run(
        [program, "--input-type=module", "-"],
        input=source,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=PAGE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


TABLE = f"import * as table from '{PAGE.as_uri()}/table.js';\n"
CELLS = [
    "plain",
    'with "quotes"',
    "comma, here",
    "semi; colon",
    "tab\there",
    "line\nbreak",
    "",
    "ünïcode 😂",
    " space ",
    "1.5",
]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_what_is_written_can_be_read_again_by_anybody(delimiter: str) -> None:
    rows = [["id", "text"], *[[str(n), cell] for n, cell in enumerate(CELLS)]]
    script = TABLE + "const text = table.writeRows(given.rows, given.delimiter);"
    script += "console.log(JSON.stringify([text, table.parseRows(text, given.delimiter)]))"
    text, again = node(script, {"rows": rows, "delimiter": delimiter})  # type: ignore[misc]
    assert again == rows
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) == rows


@pytest.mark.parametrize(
    ("source", "delimiter", "rows"),
    [
        ("a,b\n1,2\n", ",", [["a", "b"], ["1", "2"]]),
        ("a;b\r\n1,5;2\r\n", ";", [["a", "b"], ["1,5", "2"]]),
        ("a\tb\n\n1\t2", "\t", [["a", "b"], ["1", "2"]]),
        ('a,b\n"x\n""y"", z",2', ",", [["a", "b"], ['x\n"y", z', "2"]]),
        ("text\nhello there\n", ",", [["text"], ["hello there"]]),
        ('text\n"hello, there; you"\n"a, b, c"', ",", [["text"], ["hello, there; you"], ["a, b, c"]]),
        ("a,b\r1,2\r", ",", [["a", "b"], ["1", "2"]]),
        ('a,b\n1,"never closed', ",", [["a", "b"], ["1", "never closed"]]),
        ("", ",", []),
    ],
)
def test_tables_are_read(source: str, delimiter: str, rows: list[list[str]]) -> None:
    script = TABLE + "const guess = table.guessDelimiter(given);"
    script += "console.log(JSON.stringify([guess, table.parseRows(given, guess)]))"
    assert node(script, source) == [delimiter, rows]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (cell, f"'{cell}")
        for cell in ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1", "-", "\tx")
    ]
    + [(cell, cell) for cell in ("plain", "-5", "+49.5", "-1,234.5", "-3e8", "50 %", "a=b", "", "3-2", "'=1", ":-)")],
)
def test_no_cell_that_goes_out_is_a_formula(cell: str, expected: str) -> None:
    assert node(TABLE + "console.log(JSON.stringify(table.safeCell(given)))", cell) == expected


def test_columns_and_headers_are_guessed() -> None:
    script = TABLE + (
        "console.log(JSON.stringify([table.guessColumn(['id', 'Comment', 'x'], []),"
        "table.guessColumn(['a', 'b'], [['1', 'a long sentence'], ['2', 'another']]),"
        "table.guessHeader(['id', 'text']), table.guessHeader(['1', 'text']),"
        "table.guessHeader(['I love this.', 'b']), table.guessHeader(['a', 'a'])]))"
    )
    assert node(script) == [1, 1, True, False, False, False]


def test_portions_hold_every_text_once_within_the_limits() -> None:
    script = TABLE + "console.log(JSON.stringify([...table.portions(given, 3, 10)]))"
    texts = ["aaaa", "bbbb", "cccc", "d", "e", "f", "g", "x" * 50, ""]
    parts = node(script, texts)
    assert [entry["text"] for part in parts for entry in part] == texts  # type: ignore[attr-defined]
    assert all(len(part) <= 3 for part in parts)  # type: ignore[attr-defined]
    assert all(len(part) == 1 or sum(len(e["text"]) for e in part) <= 10 for part in parts)  # type: ignore[attr-defined]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-with-mark", "cp1252"])
def test_files_are_read_in_their_encoding(encoding: str) -> None:
    text = "naïve café" + (" — “ok”" if encoding != "cp1252" else "")  # Node takes Windows' dashes for Latin-1
    data = b"\xfe\xff" + text.encode("utf-16-be") if encoding == "utf-16-be-with-mark" else text.encode(encoding)
    script = TABLE + "const {text, guessed} = table.decode(Uint8Array.from(given).buffer);"
    script += "console.log(JSON.stringify([text, guessed]))"
    assert node(script, list(data)) == [text, encoding == "cp1252"]


ELEMENTS = (
    "class E { constructor(tag) { this.tag = tag; this.children = []; this.textContent = '' }"
    " append(...c) { this.children.push(...c) } setAttribute() {} }\n"
    "globalThis.document = { createElement: (tag) => new E(tag), getElementById: () => null };\n"
    f"const {{ markdown, figures }} = await import('{PAGE.as_uri()}/card.js');\n"
    "const own = (e) => (e.textContent ? [e.textContent] : []);\n"
    "const flat = (e) => (typeof e === 'string' ? e : [e.tag, ...own(e), ...e.children.map(flat)]);\n"
)
MARKDOWN = ELEMENTS + "console.log(JSON.stringify(markdown(given).map(flat)))"


def test_markdown_becomes_elements_and_never_markup() -> None:
    source = "---\nlicense: x\n---\n\n# Title\n\n**Bold** `code` [link](http://x) <img src=x>\n\n- one\n- two\n\n"
    source += "| a | b |\n|---|---|\n| 1 | 2 |"
    assert node(MARKDOWN, source) == [
        ["h3", "Title"],
        ["p", ["strong", "Bold"], " ", ["code", "code"], " ", "link", " <img src=x>"],
        ["ul", ["li", "one"], ["li", "two"]],
        ["table", ["thead", ["tr", ["th", "a"], ["th", "b"]]], ["tbody", ["tr", ["td", "1"], ["td", "2"]]]],
    ]


def test_code_in_markdown_keeps_its_empty_lines() -> None:
    source = "Before:\n\n```python\nimport x\n\n# not a heading\nx.y()\n```\n\nafter\n\n```\nnever closed\n\nat all"
    assert node(MARKDOWN, source) == [
        ["p", "Before:"],
        ["pre", "import x\n\n# not a heading\nx.y()"],
        ["p", "after"],
        ["pre", "never closed\n\nat all"],
    ]


def test_the_shipped_models_card_and_figures_are_shown_whole() -> None:
    manifest = json.loads((SHIPPED / "affekt.json").read_bytes())
    script = ELEMENTS + "console.log(JSON.stringify([figures(given.metrics), markdown(given.card).map(flat)]))"
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    figures, shown = node(script, {"metrics": manifest["metrics"], "card": card})  # type: ignore[misc]
    assert [name for name, _, _ in figures] == [
        *("macro-F1", "micro-F1", "mean average precision", "calibration error", "measured on")
    ]
    assert figures[0][1] == f"{manifest['metrics']['dev']['outcomes']['saved']['macro_f1']['value']:.3f}"
    assert [element[0] for element in shown].count("pre") == card.count("```") / 2
    assert not any("```" in str(element) for element in shown)


@pytest.mark.parametrize("metrics", [{}, {"macro_f1": 0.5}, {"dev": {}}, {"dev": {"headline": "x", "outcomes": {}}}])
def test_a_model_without_figures_shows_none(metrics: object) -> None:
    assert node(ELEMENTS + "console.log(JSON.stringify(figures(given)))", metrics) == []


def test_percents_never_round_to_nothing_or_to_all() -> None:
    script = f"const {{ percent }} = await import('{PAGE.as_uri()}/dom.js');\n"
    script += "console.log(JSON.stringify(given.map(percent)))"
    assert node(script, [0, 0.001, 0.004999, 0.005, 0.5, 0.994, 0.996, 1]) == [
        *("0 %", "<1 %", "<1 %", "1 %", "50 %", "99 %", ">99 %", "100 %")
    ]
