"""Cleaning, by example: each case says in its name what must not go wrong again."""

import doctest
import pickle
from dataclasses import fields, replace

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

import affekt.cleaning
from affekt.cleaning import DEFAULT, MAX_GROWTH, CleaningOptions, clean, clean_all

NOTHING = CleaningOptions(**{f.name: False for f in fields(CleaningOptions)})

EXAMPLES = {
    "plain text stays": ("I love this. Really!", "I love this. Really!"),
    "emoticons stay": (":) :( :/ <3 :-D ;) xD >:( D:", ":) :( :/ <3 :-D ;) xD >:( D:"),
    "repeated letters and signs stay": ("sooooo good!!!!", "sooooo good!!!!"),
    "white space": ("  a \t b\r\n\u00a0\u3000c\u2028 ", "a b c"),
    "one blank at an end of plain text": ("so good ", "so good"),
    "one blank at the beginning of plain text": (" so good", "so good"),
    "empty": ("", ""),
    "only blanks": (" \n\t ", ""),
    # URLs
    "url": ("see https://example.com/a?b=c#d now", "see now"),
    "url in capitals": ("HTTP://EXAMPLE.COM/X now", "now"),
    "url keeps what is behind": ("(http://example.com/a)! wow", "( )! wow"),
    "url glued to a word": ("texthttp://example.com", "text"),
    "url before an emoji keeps the emoji": ("http://a.com/x😂", ":face_with_tears_of_joy:"),
    "url ends at an escaped line break": (r"http://a.com/x\n\nTry", r"\n\nTry"),
    "url in markdown": ("[wow](http://a.com)", "[wow]( )"),
    "ftp": ("ftp://a.b/c d", "d"),
    "www": ("go to www.whatever.zzz/x?y, please", "go to , please"),
    "www and a number is no host": ("www.123 www.x.5 é", "www.123 www.x.5 é"),
    "bare domain": ("buy at example.com today", "buy at today"),
    "bare domain with a path": ("example.com/path is nice", "is nice"),
    "bare domain at the end of a sentence": ("I like example.com.", "I like ."),
    "bare domain in capitals": ("EXAMPLE.COM", ""),
    "domain with a port": ("a.io:8080/x y", "y"),
    "subdomains": ("old.news.example.co.uk rocks", "rocks"),
    "country under a second level": ("shop.com.mx rocks", "rocks"),
    "short link": ("youtu.be/dQw4 lol", "lol"),
    "international domain": ("münchen.de ist gut", "ist gut"),
    "lost blank after a full stop": ("ok.But end.Start me.no it.is so.to", "ok.But end.Start me.no it.is so.to"),
    "lost blank before a capitalised word like a domain": ("the end.Info follows", "the end.Info follows"),
    "abbreviations": ("e.g. U.S.A. p.s a.m. Ph.D", "e.g. U.S.A. p.s a.m. Ph.D"),
    "numbers and files": ("3.14 v1.2.3 face.jpg Node.js", "3.14 v1.2.3 face.jpg Node.js"),
    "a drawn-out awww is no host": ("awww.that's cute", "awww.that's cute"),
    "scheme without a host": ("http:// and http://!!!", "http:// and http://!!!"),
    # users
    "user": ("@you are great", "are great"),
    "user with punctuation": ("thanks (@you_2)!", "thanks ( )!"),
    "user behind a full stop": (".@you look", ". look"),
    "user on another host": ("@you@social.example hi", "hi"),
    "two users": ("@a@b c", "c"),
    "e-mail address survives": ("write to joe.b+x@mail.example.com.", "write to joe.b+x@mail.example.com."),
    "e-mail address without a dot survives": ("joe@localhost", "joe@localhost"),
    "at sign alone": ("@ home @ 5", "@ home @ 5"),
    "masked swear words are no users": ("f@ck that sh@t, @sshole, @ss", "f@ck that sh@t, @sshole, @ss"),
    # Reddit is left alone
    "placeholders stay": ("[NAME] hates [RELIGION]", "[NAME] hates [RELIGION]"),
    "reddit mentions stay": ("u/someone on r/funny", "u/someone on r/funny"),
    # emoji
    "emoji": ("haha😂", "haha :face_with_tears_of_joy:"),
    "emoji in a row do not run together": ("😂😂", ":face_with_tears_of_joy: :face_with_tears_of_joy:"),
    "emoji between words": ("so😂good", "so :face_with_tears_of_joy: good"),
    "heart and smile without selector": ("I ❤ you ☺", "I :red_heart: you :smiling_face:"),
    "heart with selector": ("❤️", ":red_heart:"),
    "heart asked for as text": ("❤\ufe0e", ":red_heart:"),
    "skin tone": ("👍🏽", ":thumbs_up_medium_skin_tone:"),
    "skin tone alone": ("🏽", ":medium_skin_tone:"),
    "flag": ("🇺🇸🇬🇧", ":United_States: :United_Kingdom:"),
    "half a flag stays": ("🇺", "🇺"),
    "flag spelled with tags": ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", ":England:"),
    "joined sequence": ("👨‍👩‍👧‍👦", ":family_man_woman_girl_boy:"),
    "joined sequence with skin tone": ("🤦🏻‍♀️", ":woman_facepalming_light_skin_tone:"),
    "joined sequence without its selector": ("❤‍🔥", ":heart_on_fire:"),
    "unknown joined sequence falls into its parts": ("😂‍😂", ":face_with_tears_of_joy: :face_with_tears_of_joy:"),
    "keycap": ("1️⃣ #️⃣", ":keycap_1: :keycap_#:"),
    "digits and signs are no emoji": ("1 2 # * © ® ™ ©️", "1 2 # * © ® ™ ©"),
    "an emoji from the future stays": ("new \U0001fbff!", "new \U0001fbff!"),
    "name with a curly quote": ("🕗", ":eight_o'clock:"),
    "name with a dot is no URL": ("🤶", ":Mrs._Claus:"),
    # HTML
    "entities": ("&lt;3 Tom &amp; Jerry &#39;s &#x27;", "<3 Tom & Jerry 's '"),
    "entity of an emoji": ("&#128514;&hearts;", ":face_with_tears_of_joy: :heart_suit:"),
    "entities of a surrogate pair": ("&#55357;&#56834;", ":face_with_tears_of_joy:"),
    "entities within entities": ("&amp;amp;amp;lt;", "<"),
    "entity made by entities": ("&a&#109;p;lt&semi; &am&#112&semi;&semi;lt;", "< <"),
    "entity hidden by a zero-width character": ("&am\u200bp; &am&#8205;p; &am\u200dp;", "& & &"),
    "entity in full-width letters": ("\uff06\uff41\uff4d\uff50\uff1b", "&"),
    "no entity": ("AT&T; a & b; &nosuch; &#xZZ; &;", "AT&T; a & b; &nosuch; &#xZZ; &;"),
    "entity of nothing": ("a&#0;b&#99999999;&#1114112;", "a\ufffdb&#99999999;\ufffd"),
    "non-breaking space": ("a&nbsp;b", "a b"),
    "url written with entities": ("http&#58;//a.com x", "x"),
    # characters
    "curly quotes": ("‘a’ “b” „c‟", '\'a\' "b" "c"'),
    "control characters": ("a\x00b\x07c\x7fd", "abcd"),
    "separators are blanks": ("a\x1fb\u2800c\u3164d", "a b c d"),
    "Windows-1252 read as Latin-1": ("it\x92s \x93ok\x94 \x85", 'it\'s "ok" …'),
    "invisible characters": ("a\u200bb\u00adc\ufeffd\u2066e\u202ef\U000e0041", "abcdef"),
    "stray joiners": ("a\u200db \u200d", "ab"),
    "surrogate pair": ("\ud83d\ude02", ":face_with_tears_of_joy:"),
    "lone surrogates": ("a\ud83d b\ude02", "a\ufffd b\ufffd"),
    "styled letters": ("𝓘 𝐥𝐨𝐯𝐞 ｙｏｕ ﬁne", "I love you fine"),
    "composition": ("cafe\u0301 &eacute; e&#769;", "café é é"),
    "stacked marks": ("z" + "\u0315" * 99, "z" + "\u0315" * 8),
    "Greek question mark is a semicolon": ("&amp\u037e", "&"),
    "other scripts stay": ("привет 你好 שלום नमस्ते", "привет 你好 שלום नमस्ते"),
    "every ligature": ("ﬀ ﬁ ﬂ ﬃ ﬄ ﬅ ﬆ", "ff fi fl ffi ffl st st"),
    # seams between the stages
    "a decoded sign begins no entity": ("&#33;amp;", "!amp;"),
    "joiners between emoji take no emoji with them": (
        "😂\u200d😂",
        ":face_with_tears_of_joy: :face_with_tears_of_joy:",
    ),
    "letters that only look like ASCII spell entities": ("&\u212aappa; &amp\u037e", "Κ &"),
    "the last surrogate pairs": ("&#55357;&#57343; &#56319;&#56320;", "\U0001f7ff \U0010fc00"),
}


@pytest.mark.parametrize(("text", "expected"), EXAMPLES.values(), ids=EXAMPLES)
def test_example(text: str, expected: str) -> None:
    assert clean(text) == expected
    assert clean(expected) == expected


OPTIONS = {
    "urls": ("http://a.com b.com", "http://a.com b.com"),
    "users": ("@you", "@you"),
    "emoji": ("a😂b 👨‍👩‍👧 ❤️", "a😂b 👨‍👩‍👧 ❤"),
    "html": ("&lt; &amp;", "&lt; &amp;"),
    "quotes": ("it’s", "it’s"),
    "control": ("a\x00b", "a\x00b"),
    "unicode": ("𝓘 e\u0301", "𝓘 e\u0301"),
    "whitespace": (" a\n b ", " a\n b "),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_that_is_off_leaves_its_matter_alone(option: str) -> None:
    text, expected = OPTIONS[option]
    assert clean(text, replace(DEFAULT, **{option: False})) == expected
    assert clean(text) != expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[NAME]'s cat, [RELIGION]!", "'s cat, !"),
        ("thanks u/some_one and /u/other-one", "thanks and"),
        ("see /r/funny, r/AskReddit", "see ,"),
        ("w/ and/or km/h hour/user 1/2", "w/ and/or km/h hour/user 1/2"),
    ],
)
def test_reddit_options(text: str, expected: str) -> None:
    assert clean(text, CleaningOptions(reddit_names=True, reddit_mentions=True)) == expected


def test_nothing_asked_for_is_nothing_done() -> None:
    text = " a\x00 “b” &lt; 😂‍ \u200d http://a.com @you\n[NAME]"
    assert clean(text, NOTHING) == text


def test_result_can_be_encoded_even_if_nothing_is_asked_for() -> None:
    assert clean("\ud83d\ude02\ud83d", NOTHING) == "😂\ufffd"


def test_every_emoji_becomes_its_name() -> None:
    from emoji import EMOJI_DATA

    for sequence, data in EMOJI_DATA.items():
        expected = sequence[0] if sequence[0] in "©®™" else data["en"].replace("’", "'")
        assert clean(sequence) == expected
        assert clean(f"x{sequence}y") == (f"x{expected}y" if expected in "©®™" else f"x {expected} y")
        assert len(f" {expected} ") <= MAX_GROWTH * len(sequence)


def test_many_texts() -> None:
    assert clean_all(iter(["a  b", "😂"])) == ["a b", ":face_with_tears_of_joy:"]


def test_the_example_in_the_documentation() -> None:
    assert doctest.testmod(affekt.cleaning) == (0, 1)


class Holder(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    cleaning: CleaningOptions = CleaningOptions()


def test_options_survive_json() -> None:
    held = Holder(cleaning=CleaningOptions(urls=False, reddit_names=True))
    assert Holder.model_validate_json(held.model_dump_json()) == held
    assert pickle.loads(pickle.dumps(held.cleaning)) == held.cleaning  # noqa: S301


def test_unknown_option_is_refused() -> None:
    with pytest.raises(ValidationError, match="smileys"):
        Holder.model_validate({"cleaning": {"smileys": True}})
