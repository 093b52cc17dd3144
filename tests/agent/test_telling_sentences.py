import time

import pytest

from agent.sections import ChapterPassages
from agent.state import Passage
from agent.telling_sentences import extract
from talker.models import SummaryStyle
from tests.agent.test_citations import passage
from tests.make import BREAD, OCEAN

CHATTER = [
    "Hello everybody and welcome back to my channel, it is so great to have you all here.",
    "If you like this talk about the ocean, hit the like button and subscribe to the channel.",
    "And then this.",
    "Thanks for watching this talk about the deep ocean and the animals, and see you next time.",
]


def passages(*groups: list[str]) -> list[Passage]:
    return [passage(n, *lines) for n, lines in enumerate(groups, 1)]


def test_sentences_are_quoted_as_said_each_with_its_second_in_order() -> None:
    said = passages(OCEAN[:4], OCEAN[4:], BREAD[:3], BREAD[3:])
    content, citations = extract(said, [], "short")
    lines = content.splitlines()
    assert len(lines) == len(citations) >= 3
    for n, (line, cited) in enumerate(zip(lines, citations, strict=True), 1):
        assert line == f"- “{cited['quote']}” [{n}]"
        assert cited["quote"] in [*OCEAN, *BREAD]
    starts = [cited["start_ms"] for cited in citations]
    assert starts == sorted(set(starts))


@pytest.mark.parametrize("style", ["short", "detailed", "key_moments"])
def test_greetings_and_advertising_are_never_quoted(style: SummaryStyle) -> None:
    said = passages(CHATTER[:2], [*OCEAN, CHATTER[2]], CHATTER[3:], BREAD)
    content, citations = extract(said, [], style)
    assert citations
    assert not any(line in content for line in CHATTER)


def test_the_same_is_not_quoted_twice() -> None:
    again = [f"So as I said before, {line[0].lower()}{line[1:]}" for line in OCEAN]
    content, _ = extract(passages(OCEAN, again), [], "detailed")
    assert len({line.lower()[-40:] for line in content.splitlines()}) == len(content.splitlines())


def test_key_moments_start_with_their_times() -> None:
    content, citations = extract(passages(OCEAN, BREAD), [], "key_moments")
    minutes, seconds = divmod(citations[0]["start_ms"] // 1000, 60)
    assert content.startswith(f"- {minutes}:{seconds:02} “")


def test_own_chapters_keep_their_titles_and_times() -> None:
    chapters = [ChapterPassages(99_000, "Sea", 1, 1), ChapterPassages(199_000, "Kitchen", 2, 2)]
    content, _ = extract(passages(OCEAN, BREAD), chapters, "chapters")
    assert [line.split(" [")[0] for line in content.splitlines()] == [
        "- 1:39 **Sea**",
        "- 3:19 **Kitchen**",
    ]


def test_without_chapters_a_new_one_begins_where_the_words_change() -> None:
    sea = [[f"{line} Wave number {n} rolls over the ocean." for line in OCEAN] for n in range(8)]
    bread = [[f"{line} Loaf number {n} needs the starter." for line in BREAD] for n in range(8)]
    content, citations = extract(passages(*sea, *bread), [], "chapters")
    titles = [line.split("**")[1] for line in content.splitlines()]
    starts = [cited["start_ms"] for cited in citations]
    assert 900_000 in starts  # the ninth passage, with which the bread begins
    assert "ocean" in " ".join(titles[: len(titles) // 2])
    assert "starter" in titles[-1] or "loaf" in titles[-1]


def test_a_video_of_one_short_sentence_is_quoted_too() -> None:
    content, citations = extract(passages(["Hi there."]), [], "short")
    assert (content, len(citations)) == ("- “Hi there.” [1]", 1)


def test_hours_of_speech_take_less_time_than_a_reader_notices() -> None:
    said = passages(*[[f"{line} Take {n}." for line in OCEAN] for n in range(300)])
    began = time.perf_counter()
    extract(said, [], "detailed")
    assert time.perf_counter() - began < 5
