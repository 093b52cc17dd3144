"""Plain text with times, as people write it and as YouTube's transcript panel copies it."""

import time

import pytest

from ingestion.captions import parse_file
from talker.errors import LoadingFailed
from talker.sentences import TimedText

PLANTS = "Plants look green."
RED = "Chlorophyll absorbs red light."


def read(text: str, name: str = "leaves.txt") -> list[TimedText]:
    return list(parse_file(name, text.encode()).segments)


def refused(text: str) -> str:
    with pytest.raises(LoadingFailed) as caught:
        read(text)
    assert caught.value.reason == "bad_file"
    return caught.value.detail


@pytest.mark.parametrize(
    "text",
    [
        f"[00:01] {PLANTS}\n[00:04] {RED}\n",
        f"[0:00:01] {PLANTS}\r\n[0:00:04] {RED}",
        f"(00:01) {PLANTS}\n(0:04) {RED}",
        f"00:01 {PLANTS}\n00:04 {RED}",
        f"0:01 - {PLANTS}\n0:04 - {RED}",
        f"00:00:01.000 {PLANTS}\n00:00:04.000 {RED}",
        f"[00:01] {PLANTS}\n\n[00:04]\nChlorophyll absorbs\nred light.\n",
        f"0:01\n{PLANTS}\n0:04\n{RED}\n",
        f"The transcript\n\n[0:01]: {PLANTS}\n[0:04]: {RED}",
    ],
)
def test_words_run_from_their_time_to_the_next(text: str) -> None:
    first, second = read(text)
    assert first == TimedText(1000, 3000, PLANTS)
    assert (second.start_ms, second.text) == (4000, RED)
    assert 1000 <= second.duration_ms <= 4000


def test_a_range_says_when_its_words_end() -> None:
    assert read(f"[00:05 - 00:09] {PLANTS}\n[1:00:12,5 --> 1:00:14] {RED}") == [
        TimedText(5000, 4000, PLANTS),
        TimedText(3_612_500, 1500, RED),
    ]


def test_the_first_time_shows_how_the_others_are_written() -> None:
    said = "10:30 in the morning is when we met\n(3:15) is a verse, and 4:20"
    assert [one.text for one in read(f"[0:07] It was\n{said}\n[0:12] late")] == [
        f"It was {said}".replace("\n", " "),
        "late",
    ]
    assert [one.text for one in read("0:07\n10:30 is when we met\n0:12\nlate")] == [
        "10:30 is when we met",
        "late",
    ]


def test_minutes_may_go_on_above_an_hour() -> None:
    assert [one.start_ms for one in read("[59:59] a\n[75:10] b\n[120:00] c")] == [
        3_599_000,
        4_510_000,
        7_200_000,
    ]


def test_a_time_without_words_ends_the_words_before_it() -> None:
    assert read("[0:01] one\n[0:05]\n[0:09] two")[0] == TimedText(1000, 4000, "one")


def test_text_without_times_is_refused_with_the_form_it_should_have() -> None:
    assert "[1:05] Plants look green." in refused("Plants look green.\nThey are 3:2 better.")
    assert "no times" in refused("In 12:99 there is no time\n1:2 neither")


def test_times_that_run_backwards_are_refused_with_their_line() -> None:
    detail = refused("[0:01] one\n[1:09] two\n\n[1:05] three")
    assert "line 4: 1:05 is earlier than the time before it, 1:09" in detail
    assert "line 1: the words end before they start" in refused("[0:09 - 0:05] one")


def test_times_alone_are_no_captions() -> None:
    assert "holds no captions" in refused("[0:01]\n[0:05]\n")


def test_a_name_tells_title_language_and_video_of_a_text_too() -> None:
    file = parse_file("Leaves [dQw4w9WgXcQ].pl.txt", b"0:01 Liscie")
    assert (file.title, file.language, file.youtube_id) == ("Leaves", "pl", "dQw4w9WgXcQ")


def test_a_huge_text_is_read_in_seconds() -> None:
    start = time.process_time()
    many = "\n".join(f"[{n // 60}:{n % 60:02}] words {n}" for n in range(59_000))
    assert len(read(many)) == 59_000
    assert len(read("[0:01] a\n[0:02" + " " * 190_000 + "b\n0:03" + "-" * 90_000)) == 1
    assert time.process_time() - start < 10
