from ingestion.chunking import MAX_TOKENS, chunk
from talker.sentences import TimedText
from talker.text import token_estimate


def lines(*texts: str) -> list[TimedText]:
    return [TimedText(n * 5000, 5000, text) for n, text in enumerate(texts)]


SAID = [
    f"Sentence number {n} tells something about the way light bends in glass." for n in range(30)
]


def test_chunks_are_whole_sentences_up_to_their_size() -> None:
    chunks = chunk(lines(*SAID))
    assert len(chunks) > 2
    assert all(one.text.endswith(".") for one in chunks)
    assert all(token_estimate(one.text) <= MAX_TOKENS + 5 for one in chunks)
    assert " ".join(one.text for one in chunks) == " ".join(SAID)


def test_chunks_say_where_they_stand() -> None:
    chunks = chunk(lines(*SAID))
    assert [one.position for one in chunks] == list(range(len(chunks)))
    for one in chunks:
        assert one.start_ms == one.first_segment * 5000
        assert one.end_ms == (one.last_segment + 1) * 5000
    assert [one.first_segment for one in chunks[1:]] == [
        one.last_segment + 1 for one in chunks[:-1]
    ]


def test_a_sentence_that_crosses_lines_is_in_one_chunk_with_both_times() -> None:
    [one] = chunk(lines("Light bends", "in glass."))
    assert (one.text, one.start_ms, one.end_ms) == ("Light bends in glass.", 0, 10000)
    assert (one.first_segment, one.last_segment) == (0, 1)


def test_an_endless_line_is_a_chunk_of_its_own() -> None:
    chunks = chunk(lines("word " * 400, "And the end."))
    assert [one.first_segment for one in chunks] == [0, 1]


def test_japanese_chunks_fit_the_embedding_model_too() -> None:
    chunks = chunk(lines(*["線形変換とは何かを考えてみましょう。"] * 40))
    assert len(chunks) > 3
    assert all(len(one.text) < 300 for one in chunks)


def test_captions_of_music_alone_make_no_chunks() -> None:
    assert chunk(lines("[Music]", "[Applause]")) == []


def test_no_chunk_goes_on_over_a_chapters_start() -> None:
    said = ["First words.", "Second words. Third", "goes on.", "Fourth words.", "Fifth words."]
    assert [one.text for one in chunk(lines(*said), [0, 7000, 20_000])] == [
        "First words. Second words. Third goes on.",
        "Fourth words.",
        "Fifth words.",
    ]
    assert len(chunk(lines(*said))) == len(chunk(lines(*said), [0])) == 1
