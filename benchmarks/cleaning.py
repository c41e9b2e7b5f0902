"""How fast texts are cleaned: ordinary ones per second, and a megabyte of each hostile kind in seconds.

Run: python benchmarks/cleaning.py [table.tsv ...]     (the first column of each table is the text)
"""

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from affekt.cleaning import CleaningOptions, clean, clean_all

MEGABYTE = 1_000_000
ORDINARY = (
    "I really love how this turned out, thank you so much!",
    "Why would anyone do that? It makes me so angry.",
    "ok, that was not what I expected at all, but fine I guess...",
    "LOL that is the funniest thing I have read all day",
    "My grandmother died last week and I miss her every minute.",
)
DECORATED = (
    "I really love how this turned out \U0001f60d\U0001f60d, thank you so much @you!",
    "Why would anyone do that? It\u2019s \u201cfine\u201d \U0001f621 https://example.com/a?b=c",
    "ok &amp; that was not what I expected \U0001f937\U0001f3fd\u200d\u2640\ufe0f caf\u00e9",
)
HOSTILE = {
    "emoji joined by U+200D": "\U0001f602\u200d",
    "families without end": "\U0001f468\u200d\U0001f469\u200d",
    "tags": "\U0001f3f4\U000e0067",
    "half flags": "\U0001f1e6",
    "unknown emoji": "\U0001fbff",
    "dotted domain": "a.",
    "domains": "a.com ",
    "hosts": "www.",
    "schemes": "http://!",
    "less than": "<",
    "ampersands": "&",
    "empty entities": "&;",
    "nested entities": "amp;",
    "entities": "&amp;",
    "surrogate entities": "&#55357;&#56834;",
    "at signs": "@",
    "users": "@a",
    "addresses": "a@b.c@",
    "colons": ":",
    "blanks": " ",
    "combining marks": "\u0315\u0300",
    "lone surrogates": "\ud83d",
    "slashes": "/u/",
}


def seconds(work: Callable[[], object]) -> float:
    """The best of three runs, in seconds."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def ordinary(name: str, texts: list[str]) -> None:
    """Print the texts cleaned per second."""
    print(f"{name:26} {len(texts) / seconds(lambda: clean_all(texts)):>12,.0f} texts/s")


def hostile() -> None:
    """Print the seconds that a megabyte (UTF-8) and half a megabyte take; twice the text should take twice as long."""
    options = CleaningOptions(reddit_names=True, reddit_mentions=True)
    for name, piece in HOSTILE.items():
        times = MEGABYTE // len(piece.encode("utf-8", "surrogatepass"))
        whole = "&" + piece * times
        half = "&" + piece * (times // 2)
        one, other = seconds(lambda text=whole: clean(text, options)), seconds(lambda text=half: clean(text, options))  # type: ignore[misc]
        print(f"{name:26} {one:12.3f} s   x{one / max(other, 1e-9):.1f} for twice the text")


def first_column(paths: Iterable[Path]) -> list[str]:
    """The texts of some tab-separated tables."""
    return [line.split("\t")[0] for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", type=Path)
    tables = parser.parse_args().tables
    clean("\U0001f602 &amp;")
    ordinary("ASCII", list(ORDINARY) * 4000)
    ordinary("emoji, links, entities", list(DECORATED) * 4000)
    if tables:
        texts = first_column(tables)
        ordinary("tables", texts)
        ordinary("tables, not ASCII", [text for text in texts if not text.isascii()])
    hostile()


if __name__ == "__main__":
    main()
