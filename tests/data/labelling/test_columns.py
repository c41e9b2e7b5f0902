import pytest

from affekt.data import ReadOptions, read_table
from affekt.data.labelling.columns import by_name, flag_columns, guess_id, guess_label_column, guess_text, texts_of
from affekt.errors import DataError


def test_by_name_follows_the_order_of_the_known_names():
    assert by_name(["Body", "Text "], ("text", "body")) == "Text "
    assert by_name(["x"], ("text",)) is None


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        ("id,text,notes", "1,short,a much longer remark than the text", "text"),
        ("id,Comment Text,n", "1,hello,2", "Comment Text"),
        ("a,b,c", "x1,the longest words of all are here,y", "b"),
        ("url,b", "http://example.org/a/very/long/path,some words", "url"),
        ("n,b", "123456789012345678901234567890,some words", "b"),
    ],
)
def test_guess_text(write, header, row, column):
    assert guess_text(read_table(write("t.csv", f"{header}\n{row}\n"), ReadOptions(header=True))) == column


def test_texts_are_never_guessed_where_labels_are(write):
    table = read_table(write("t.csv", "text,body\nhello you,hi\n"))
    assert guess_text(table, {"text"}) == "body"
    with pytest.raises(DataError, match="has no column of texts"):
        guess_text(table, {"text", "body"})


def test_scripts_other_than_latin_are_words(write):
    assert guess_text(read_table(write("t.tsv", "1\tこんにちは世界\n2\tПривет\n"))) == "column2"


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("text,id,other_id", "id"),
        ("text,ID", "ID"),
        ("text,tweet-id", "tweet-id"),
        ("text,thread_id", "thread_id"),
        ("Unnamed: 0,text", "Unnamed: 0"),
        (",text", ""),
        ("text,identity", None),
    ],
)
def test_guess_id_by_name(write, header, column):
    cells = ",".join(f"v{n}" for n in range(header.count(",") + 1))
    assert guess_id(read_table(write("t.csv", f"{header}\n{cells}\n")), {"text"}) == column


def test_guess_id_by_content_only_where_columns_have_no_names(write):
    rows = "hello you\tab1\nhello me\tab2\nand all\tab3\n"
    assert guess_id(read_table(write("t.tsv", rows)), {"column1"}) == "column2"
    assert guess_id(read_table(write("u.tsv", "text\tcode\n" + rows)), {"text"}) is None
    assert guess_id(read_table(write("v.tsv", rows + "again\tab1\n")), {"column1"}) is None


@pytest.mark.parametrize(
    ("cells", "flags"),
    [
        (["0", "1", "1"], True),
        (["0.0", "1.0", ""], True),
        (["0.25", "1", "0"], True),
        (["", "", ""], False),
        (["1", "2", "3"], False),
        (["a", "b", "c"], False),
        (["yes", "no", "yes"], True),
    ],
)
def test_flag_columns(write, cells, flags):
    rows = "".join(f"some text,{cell}\n" for cell in cells)
    table = read_table(write("t.csv", f"text,x\n{rows}"))
    assert flag_columns(table, {"text"}) == (["x"] if flags else [])


def test_columns_that_are_taken_are_no_flags(write):
    table = read_table(write("t.csv", "text,id,joy\nhello,1,1\nyou,0,0\n"))
    assert flag_columns(table, {"text", "id"}) == ["joy"]


def test_lists_are_no_flags(write):
    table = read_table(write("t.jsonl", '{"text": "a", "x": [0, 1]}\n{"text": "b", "x": [1]}\n'))
    assert flag_columns(table, {"text"}) == []


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("mood", ["joy", "anger", "joy"]),
        ("Emotions", ["a", "b", "c"]),
        ("x", ["joy|anger", "", "joy"]),
        ("x", ["['joy']", "[]", "['joy', 'anger']"]),
    ],
)
def test_guess_label_column(write, column, cells):
    rows = "".join(f"some text {n},author{n},{cell!r}\n".replace("'", '"') for n, cell in enumerate(cells))
    table = read_table(write("t.csv", f"text,author_id,{column}\n{rows}"))
    assert guess_label_column(table, {"text", "author_id"}) == column


def test_a_name_of_its_own_in_every_row_is_no_label(write):
    rows = "".join(f"some text,author{n}\n" for n in range(12))
    assert guess_label_column(read_table(write("t.csv", f"text,author\n{rows}")), {"text"}) is None


def test_a_large_vocabulary_is_no_set_of_labels(write):
    rows = "".join(f"some text,place{n % 300}\n" for n in range(600))
    assert guess_label_column(read_table(write("t.csv", f"text,place\n{rows}")), {"text"}) is None


def test_known_names_win(write):
    rows = "".join(f"some text,blue,{label}\n" for label in ("joy", "anger", "fear"))
    table = read_table(write("t.csv", f"text,colour,mood\n{rows}"))
    assert guess_label_column(table, {"text"}) == "colour"
    assert guess_label_column(table, {"text"}, ["joy", "anger", "fear"]) == "mood"


def test_texts_are_one_per_row_and_empty_where_missing(write):
    table = read_table(write("t.csv", "id,said\n1,so good\n2,\n3,so bad\n"))
    assert texts_of(table) == ["so good", "", "so bad"]
    assert texts_of(table, "id") == ["1", "2", "3"]
    assert texts_of(table, "2") == ["so good", "", "so bad"]
