from itertools import pairwise
from uuid import uuid4

from agent.library import VideoName
from agent.sections import PART_TOKENS, PASSAGE_TOKENS, chapters_of, parts_of, passages_of
from agent.state import Span
from agent.transcripts import Chapter, Transcript
from talker.sentences import Sentence
from talker.text import token_estimate


def transcript(count: int, *chapters: tuple[int, str]) -> Transcript:
    """So many sentences of six seconds and some 20 tokens each."""
    said = [
        Sentence(
            number * 6_000,
            number * 6_000 + 6_000,
            f"Sentence number {number} says that the ship sailed on to another harbour again.",
            number,
            number,
        )
        for number in range(count)
    ]
    return Transcript(
        id=uuid4(),
        video=VideoName(uuid4(), None, "A voyage", None, None),
        language="en",
        chapters=tuple(Chapter(start_ms, title) for start_ms, title in chapters),
        sentences=said,
    )


def test_every_sentence_is_in_one_passage_and_passages_count_from_one() -> None:
    voyage = transcript(500)
    passages = passages_of(voyage)
    assert [passage["n"] for passage in passages] == list(range(1, len(passages) + 1))
    said = [one["text"] for passage in passages for one in passage["sentences"]]
    assert said == [sentence.text for sentence in voyage.sentences]
    assert all(token_estimate(passage["text"]) <= PASSAGE_TOKENS * 1.1 for passage in passages)


def test_no_passage_runs_over_a_chapters_start() -> None:
    voyage = transcript(50, (0, "Out"), (61_000, "Storm"), (200_000, "Home"))
    passages = passages_of(voyage)
    chapters = chapters_of(voyage, passages)
    assert [chapter.title for chapter in chapters] == ["Out", "Storm", "Home"]
    assert (chapters[0].first, chapters[-1].last) == (1, len(passages))
    for before, after in pairwise(chapters):
        assert before.last + 1 == after.first
        first = passages[after.first - 1]["sentences"][0]
        assert abs(first["start_ms"] - after.start_ms) <= 6_000


def test_a_chapter_in_which_nothing_is_said_is_not_one() -> None:
    voyage = transcript(10, (0, "Out"), (500_000, "Credits"))
    assert [chapter.title for chapter in chapters_of(voyage, passages_of(voyage))] == ["Out"]


def test_what_is_short_is_one_part() -> None:
    passages = passages_of(transcript(100))
    assert parts_of(passages, []) == [passages]


def test_twelve_hours_are_parts_of_one_size_that_a_model_can_read() -> None:
    passages = passages_of(transcript(7_200))
    parts = parts_of(passages, [])
    sizes = [sum(token_estimate(one["text"]) for one in part) for part in parts]
    assert [one for part in parts for one in part] == passages
    assert max(sizes) <= PART_TOKENS * 1.1
    assert min(sizes) >= max(sizes) * 0.9


def test_a_part_ends_where_a_chapter_begins_near_its_even_end() -> None:
    voyage = transcript(700, (0, "Out"), (2_500_000, "Home"))
    passages = passages_of(voyage)
    home = chapters_of(voyage, passages)[1].first
    assert home in [part[0]["n"] for part in parts_of(passages, chapters_of(voyage, passages))]


def test_a_span_has_what_was_said_within_it_alone() -> None:
    passages = passages_of(transcript(100), Span(start_ms=60_000, end_ms=120_000))
    said = [one for passage in passages for one in passage["sentences"]]
    assert (said[0]["start_ms"], said[-1]["end_ms"]) == (60_000, 120_000)
    assert passages[0]["n"] == 1


def test_a_silent_transcript_has_no_parts() -> None:
    assert parts_of(passages_of(transcript(0)), []) == []
