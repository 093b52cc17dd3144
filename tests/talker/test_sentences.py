from talker.sentences import MAX_SENTENCE_TOKENS, TimedText, clean, joined, sentences
from talker.text import token_estimate


def lines(*texts: str, step_ms: int = 2000) -> list[TimedText]:
    return [TimedText(n * step_ms, step_ms, text) for n, text in enumerate(texts)]


def test_a_sentence_has_the_times_of_the_lines_it_stands_in() -> None:
    found = sentences(lines("Light slows down", "in glass. Blue light", "slows down more."))
    assert [(one.text, one.start_ms, one.end_ms) for one in found] == [
        ("Light slows down in glass.", 0, 4000),
        ("Blue light slows down more.", 2000, 6000),
    ]
    assert [(one.first_segment, one.last_segment) for one in found] == [(0, 1), (1, 2)]


def test_every_word_is_said_once_and_in_order() -> None:
    texts = ["One two three. Four", "five six", "seven! Eight? Nine", "ten"]
    assert " ".join(one.text for one in sentences(lines(*texts))) == " ".join(texts)


def test_full_stops_inside_names_and_numbers_end_nothing() -> None:
    said = ["Dr. Smith and J. S. Bach paid 3.5 dollars, i.e. not much, vs. what he had."]
    assert [one.text for one in sentences(lines(*said))] == said


def test_captions_without_full_stops_are_cut_between_lines() -> None:
    said = [f"so this is line number {n} and it goes on without an end" for n in range(20)]
    found = sentences(lines(*said))
    assert len(found) > 3
    assert all(token_estimate(one.text) <= 1.5 * MAX_SENTENCE_TOKENS for one in found)
    assert {one.text.split()[0] for one in found} == {"so"}


def test_japanese_sentences_end_at_their_own_full_stop_without_a_space() -> None:
    found = sentences(lines("光は遅くなる。青い光は", "もっと遅くなる。"))
    assert [one.text for one in found] == ["光は遅くなる。", "青い光はもっと遅くなる。"]


def test_rolling_captions_are_said_once() -> None:
    found = sentences(
        lines("the light slows down", "the light slows down in the glass", "in the glass of it.")
    )
    assert joined([one.text for one in found]) == "the light slows down in the glass of it."


def test_a_word_repeated_for_emphasis_stays() -> None:
    [one] = sentences(lines("it is very", "very slow."))
    assert one.text == "it is very very slow."


def test_tags_entities_and_sound_cues_are_no_words() -> None:
    assert clean("&gt;&gt; <i>Rock &amp; roll</i> [Music] [APPLAUSE] ♪ here") == "Rock & roll here"
    assert clean("the function f(x) and [3, 4]") == "the function f(x) and [3, 4]"


def test_captions_of_sounds_alone_have_no_sentences() -> None:
    assert sentences(lines("[Music]", "♪♪", " ")) == []
