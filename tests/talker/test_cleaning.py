"""What is no speech goes; every word that was said stays."""

import pytest

from talker.cleaning import clean, unrolled


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("&gt;&gt; <i>Rock &amp; roll</i> [Music] [APPLAUSE] ♪ here", "Rock & roll here"),
        ("it&amp;#39;s R&amp;amp;D, a&amp;nbsp;bit", "it's R&D, a bit"),
        ("ze\u200bro \ufeffwi\u2060dth so\u00adft", "zero width soft"),
        ("(applause) thank you (crowd cheering)", "thank you"),
        ("*laughs* well (she laughs softly)", "well"),
        ("[inaudible] [ __ ] [soft music playing] yes", "yes"),
        ("[音楽] こんにちは （拍手）", "こんにちは"),
        ("[संगीत] नमस्ते (तालियां)", "नमस्ते"),
        ("[Музыка] привет (смех)", "привет"),
        ("[موسيقى] مرحبا", "مرحبا"),
        ("♪♫ la la la ♬", "la la la"),
        ("- Yes. - No. - Why?", "Yes. No. Why?"),
        ("-Why not?", "Why not?"),
        (">> JOHN: Why? >> Because.", "Why? Because."),
        ("DR. ANNA LEE: We saw it.", "We saw it."),
        ("MAN 1: We saw it.", "We saw it."),
        ("Speaker 1: We saw it.", "We saw it."),
        ("Sprecherin: Wir sahen es.", "Wir sahen es."),
    ],
)
def test_what_was_not_said_is_taken_out(shown: str, said: str) -> None:
    assert clean(shown) == said


@pytest.mark.parametrize(
    "said",
    [
        "the function f(x), P(A) and [3, 4] (which is nice)",
        "if a<b and c>d then x",
        "-5 degrees, -x and - 3",
        "The rule: never stop. Remember: it is late",
        "AND HE SAID: GO AWAY",
        "Note: at 10:30 we met",
        "so I said (and so on) that A: it works",
        "می\u200cخواهم \U0001f469\u200d\U0001f4bb क\u094d\u200dष",
        "AT&T & R<D",
        "we love music and applause",
        "f[x] is a[i]",
    ],
)
def test_words_that_look_like_marks_stay(said: str) -> None:
    assert clean(said) == said


def lines(*texts: str) -> list[list[str]]:
    return [text.split() for text in texts]


def added(*texts: str) -> list[str]:
    return [" ".join(words) for words in unrolled(lines(*texts))]


def test_rolling_lines_add_what_the_display_does_not_show_yet() -> None:
    shown = ["yeah we start", "yeah we start with plants", "with plants", "with plants and light"]
    assert added(*shown) == ["yeah we start", "with plants", "", "and light"]
    assert added("a b c d", "", "b c d e f", "d e f g") == ["a b c d", "", "e f", "g"]


def test_what_was_said_twice_stays_twice() -> None:
    verse = ["never gonna give you up", "never gonna let you down"]
    assert (
        added(*verse, *verse, "oh oh oh oh", "oh oh oh oh")
        == [*verse, *verse] + ["oh oh oh oh"] * 2
    )
    chance = ["make ten and ten more", "and ten more and so on", "for it is late", "is it not"]
    assert added(*chance) == chance
    assert added("it is very", "very slow") == ["it is very", "very slow"]


def test_captions_without_words_add_none() -> None:
    assert unrolled([]) == []
    assert added("", "") == ["", ""]
