"""Writes train.csv, test.csv and sample_submission.csv, made up in the shape of a Kaggle competition's files.

    python kaggle_table.py [ROWS]

Sentences are put together from parts, so a model finds them far easier than what people write; links, names, emoji, a
few blank texts, copies and wrong labels are thrown in, as every real table has them.
"""

import csv
import random
import sys
from pathlib import Path

LABELS = ("anger", "fear", "gratitude", "joy", "sadness")
SHARES = (0.22, 0.06, 0.14, 0.35, 0.18)
THINGS = (
    "the new phone", "my exam", "the last train", "our neighbour", "this update", "the dentist", "her letter",
    "the match", "our trip", "that film", "my old bike", "the concert", "his speech", "the job offer", "the flat",
    "your message",
)  # fmt: skip
TIMES = ("", "", " today", " this morning", " again", " after all these years", " since Friday", " every single day")
PARTS = {
    "anger": ("I am so fed up with {}.", "{} makes my blood boil!", "Who on earth thought of {}? Ridiculous."),
    "fear": ("I am scared of {}.", "Could not sleep, {} worries me so much.", "{} gives me the creeps."),
    "gratitude": ("Thank you for {}!", "I really appreciate {}.", "So grateful for {} 🙏"),
    "joy": ("{} made my day 😊", "I am over the moon about {}!", "Best news ever: {}."),
    "sadness": ("I cried about {} all night.", "{} is gone and I miss it so much 💔", "I feel so down about {}."),
}
PLAIN = ("{} is on Monday.", "Has anybody seen {}?", "There is a page about {}.", "They talked about {} for a while.")


def write(rng: random.Random, made: Path, first_id: int, rows: int, labelled: bool) -> list[int]:
    """One table; returns its ids."""
    with made.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", *(LABELS if labelled else ())])
        earlier: list[str] = []
        for number in range(rows):
            text, found = sentence(rng)
            if labelled and rng.random() < 0.02 and earlier:
                text = rng.choice(earlier)
            if labelled and rng.random() < 0.005:
                text = ""
            earlier.append(text)
            cells = [int((label in found) != (rng.random() < 0.02)) for label in LABELS]
            writer.writerow([first_id + number, text, *(cells if labelled else ())])
    return list(range(first_id, first_id + rows))


def sentence(rng: random.Random) -> tuple[str, set[str]]:
    """A text and its labels: none, one, or two of them."""
    found = {label for label, share in zip(LABELS, SHARES, strict=True) if rng.random() < share}
    parts = [rng.choice(PARTS[label]) for label in sorted(found)] or [rng.choice(PLAIN)]
    if rng.random() < 0.3:
        parts.append(rng.choice(PLAIN))
    rng.shuffle(parts)
    words = " ".join(part.format(rng.choice(THINGS) + rng.choice(TIMES)) for part in parts)
    end = rng.choice(("", "", "", " https://example.com/a1", " @sam_w", " #monday"))
    return words[:1].upper() + words[1:] + end, found


def main(rows: int) -> None:
    """The three files of the competition, in the current folder."""
    rng = random.Random(14)
    write(rng, Path("train.csv"), 1, rows, labelled=True)
    ids = write(rng, Path("test.csv"), 5_001, rows // 4, labelled=False)
    with Path("sample_submission.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", *LABELS], *([number, *([0] * len(LABELS))] for number in ids)])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 800)
