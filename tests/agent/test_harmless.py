import pytest

from agent.harmless import Preview, plain

CASES = [
    ("The lamp glows [1][2].", "The lamp glows [1][2]."),
    ("See [this page](https://evil.example/a(b)c) now.", "See this page now."),
    ("![x](//evil.example/p.png) It glows.", " It glows."),
    ("[![x](https://a.example)](https://b.example) It glows.", " It glows."),
    ("Glows [1](https://evil.example).", "Glows [1]."),
    ("<img src=x onerror=alert(1)>It glows.", "It glows."),
    ("It glows <img src=//evil.example/x", "It glows ‹img src="),
    ("Go to www.evil.example/a or https://evil.example/b now", "Go to or now"),
    ("Watch youtu.be/AAAAAAAAAAA first", "Watch first"),
    ("a < b and \u202ec\u202c\u200bd", "a < b and cd"),
    ("नमस्\u200dते", "नमस्\u200dते"),
]


@pytest.mark.parametrize(("written", "kept"), CASES)
def test_an_answer_keeps_its_words_and_loses_what_calls_elsewhere(written: str, kept: str) -> None:
    assert plain(written) == kept


@pytest.mark.parametrize("written", [written for written, _ in CASES])
@pytest.mark.parametrize("size", [1, 3, 7, 500])
def test_no_piece_of_a_stream_makes_a_link_an_image_or_a_tag(written: str, size: int) -> None:
    preview = Preview()
    pieces = [preview.add(written[at : at + size]) for at in range(0, len(written), size)]
    shown = "".join([*pieces, preview.end()])
    assert not any(sign in shown for sign in ("://", "](", "![", "<img", "www.", "//", "\u202e"))


def test_a_stream_s_words_are_not_held_back() -> None:
    preview = Preview()
    words = ["The", " lamp", " glows", " [1", "]", ",", " and", " how", "!", " Well"]
    assert [preview.add(word) for word in words] == [
        "The", " lamp", " glows", " [1", "", "],", " and", " how", "", "! Well",
    ]  # fmt: skip
    assert preview.end() == ""
