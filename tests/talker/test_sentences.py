import time

import pytest

from talker.boundaries import MAX_SENTENCE_TOKENS
from talker.sentences import TimedText, joined, sentences, sentences_of
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


def test_captions_of_sounds_alone_have_no_sentences() -> None:
    assert sentences(lines("[Music]", "♪♪", " ")) == []


SPOKEN = {
    "en": "so light slows down in glass and water|but blue light slows down a little more than red|"
    "now what happens when the light leaves the glass on the other side|"
    "well it goes on as fast as before|okay let us see what a prism does with that",
    "pl": "światło zwalnia w szkle i w wodzie|ale niebieskie zwalnia trochę bardziej niż czerwone|"
    "więc promień niebieski załamuje się mocniej niż pozostałe|"
    "teraz zobaczmy co stanie się na drugim brzegu pryzmatu w naszym laboratorium",
    "es": "la luz va más despacio en el vidrio|pero la luz azul va todavía un poco más despacio|"
    "entonces el rayo azul se dobla más que los otros rayos|"
    "ahora veamos lo que pasa en el otro lado de este prisma de vidrio",
    "de": "das Licht wird im Glas langsamer|aber blaues Licht wird noch etwas langsamer als rotes|"
    "also wird der blaue Strahl stärker gebrochen als die anderen|"
    "jetzt sehen wir was auf der anderen Seite des Glases geschieht",
    "fr": "la lumière ralentit dans le verre|mais la lumière bleue ralentit un peu plus|"
    "donc le rayon bleu est dévié plus que les autres rayons|"
    "maintenant voyons ce qui se passe de l'autre côté de ce prisme en verre",
    "hi": "प्रकाश काँच में धीमा हो जाता है|लेकिन नीला प्रकाश और भी धीमा हो जाता है|"
    "इसलिए नीली किरण अधिक मुड़ती है|अब हम देखते हैं कि दूसरी तरफ क्या होता है",
    "ja": "光はガラスの中で遅くなります|しかし青い光は赤い光よりももう少し遅くなります|"
    "だから青い光線は他の光線よりも大きく曲がります|次にプリズムの反対側で何が起こるかを見てみましょう|"
    "そして最後にまとめをします",
}


@pytest.mark.parametrize("language", SPOKEN)
def test_without_full_stops_sentences_begin_at_words_that_open_them(language: str) -> None:
    said = SPOKEN[language].split("|")
    size = 12 if language == "ja" else 1
    words = "".join(said) if language == "ja" else " ".join(said).split()
    pieces = [words[at : at + 6 * size] for at in range(0, len(words), 6 * size)]
    shown = [piece if isinstance(piece, str) else " ".join(piece) for piece in pieces]
    assert [one.text for one in sentences(lines(*shown))] == said


def test_without_full_stops_sentences_end_at_pauses() -> None:
    said = ["light slows down", "in the glass of a lens", "blue light bends most", "of all rays"]
    starts_ms = [0, 1500, 6000, 7500]
    shown = [TimedText(at, 4000, text) for at, text in zip(starts_ms, said, strict=True)]
    assert [(one.text, one.start_ms) for one in sentences(shown)] == [
        ("light slows down in the glass of a lens", 0),
        ("blue light bends most of all rays", 6000),
    ]


def test_capitals_tell_where_sentences_begin_too() -> None:
    said = [
        "Light slows down in glass That is why",
        "a lens bends it The prism bends it",
        "as well",
    ]
    assert [one.text for one in sentences(lines(*said))] == [
        "Light slows down in glass",
        "That is why a lens bends it",
        "The prism bends it as well",
    ]


def test_a_sentence_with_commas_stays_whole_while_it_is_not_too_long() -> None:
    said = ["When light comes in, so it is said,", "but not only then, it slows down,", "you see"]
    assert len(sentences(lines(*said))) == 1


def test_a_long_sentence_with_commas_is_cut_into_even_parts_where_lines_start() -> None:
    said = [f"and here, as line {n} says, it goes on" for n in range(10, 22)]
    whole = joined(said)
    found = sentences(lines(*said[:-1], f"{said[-1]}."))
    assert token_estimate(whole) > 1.5 * MAX_SENTENCE_TOKENS
    assert [(one.first_segment, one.last_segment) for one in found] == [(0, 5), (6, 11)]


def test_a_long_sentence_in_a_single_line_is_cut_at_its_commas() -> None:
    found = sentences(lines("it is said, as one knows, that light slows down in glass, " * 9))
    assert len(found) > 1
    assert all(one.text.endswith(",") for one in found)
    assert all(token_estimate(one.text) <= 1.5 * MAX_SENTENCE_TOKENS for one in found)


def test_a_lone_comma_changes_nothing_in_captions_without_full_stops() -> None:
    said = SPOKEN["en"].replace("|", " ").split() * 9
    shown = [" ".join(said[at : at + 6]) for at in range(0, len(said), 6)]
    without = [one.text for one in sentences(lines(*shown))]
    with_one = [one.text for one in sentences(lines(f"{shown[0]},", *shown[1:]))]
    assert joined(with_one).replace(",", "") == joined(without)
    assert len(with_one) == len(without)


@pytest.mark.parametrize(
    "text", ["word " * 3000, "です" * 3000, "x" * 9000, "a, b " * 2000, ". " * 99]
)
def test_words_of_any_kind_are_all_said_once(text: str) -> None:
    shown = [text[at : at + 300] for at in range(0, len(text), 300)]
    found = "".join(one.text for one in sentences(lines(*shown)))
    assert "".join(found.split()) == "".join(text.split())


def test_an_hour_without_full_stops_is_cut_in_well_under_a_second() -> None:
    hour = lines(*(SPOKEN["en"].split("|") * 240), step_ms=3000)
    start = time.process_time()
    sentences(hour)
    assert time.process_time() - start < 1


def test_a_chunks_sentences_are_found_again_in_its_segments_alone() -> None:
    words = " ".join(SPOKEN["en"].replace("|", " ").split() * 9).split()
    shown = lines(*(" ".join(words[at : at + 7]) for at in range(0, len(words), 7)))
    whole = sentences(shown)
    for first in range(len(whole) - 3):
        some = whole[first : first + 3]
        lead = max(0, some[0].first_segment - 1)
        found = sentences_of(
            [joined([one.text for one in some])], shown[lead : some[-1].last_segment + 1]
        )
        assert [(one.text, one.start_ms, one.end_ms) for one in found][:-1] == [
            (one.text, one.start_ms, one.end_ms) for one in some
        ][:-1]
        assert found[-1].text == some[-1].text


def test_a_text_that_was_not_said_has_no_sentences() -> None:
    assert sentences_of(["Something else.", ""], lines("Light bends.", "In glass.")) == []
    assert [
        one.text for one in sentences_of(["In glass."], lines("Light bends.", "In glass."))
    ] == ["In glass."]


LONG = (
    "The light that falls on the leaf, which is spread out towards the sun as far as it will go,",
    "is caught by a green stuff, called chlorophyll, that takes in the red and the blue of it,",
    "and it gives back the green, which is why we see it so, and with what it has caught,",
    "as people found out late, after a long quarrel, it parts water into what it is made of,",
    "and so it makes sugar, out of air and water, for all that lives and eats on this earth,",
    "which is a great deal more, in weight, than all that people have ever built in stone.",
)


def test_a_chunk_cut_in_a_long_sentence_is_given_the_rest_of_it() -> None:
    segments = lines("Good morning to you.", *LONG, "That is all.")
    pieces = [one.text for one in sentences(segments)][1:-1]
    assert len(pieces) > 1
    assert [one.text for one in sentences_of([pieces[-1]], segments)] == [pieces[-1]]
    found = sentences_of([pieces[-1]], segments, first=3, whole=True)
    assert found[-1].text == pieces[-1]
    assert found[0].start_ms >= segments[1].start_ms
    assert "".join(one.text for one in found).endswith("in stone.")
    wider = sentences_of([pieces[0]], segments, whole=True)
    assert wider[0].text == pieces[0]
    assert "Good morning" not in wider[0].text
    assert "That is all" not in wider[-1].text


def test_whole_sentences_are_given_nothing_more() -> None:
    segments = lines("Light bends.", "In glass it slows.", "Then it leaves.")
    found = sentences_of(["In glass it slows."], segments, whole=True)
    assert [one.text for one in found] == ["In glass it slows."]


def test_words_that_come_twice_are_found_where_the_chunk_s_segments_are() -> None:
    segments = lines("Thank you.", "Light bends.", "Thank you.")
    [found] = sentences_of(["Thank you."], segments, first=1)
    assert found.start_ms == segments[2].start_ms
