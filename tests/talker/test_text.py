import pytest

from talker.text import (
    any_stem,
    content_words,
    guess_language,
    stems,
    term_id,
    token_estimate,
    tokens,
    weights,
)


def test_numbers_are_one_word_however_they_are_grouped() -> None:
    assert tokens("GPT-3 has 12,288 dimensions, not 3.5") == [
        *("gpt", "3", "has", "12288", "dimensions", "not", "3.5"),
    ]


def test_a_possessive_is_its_owner() -> None:
    assert tokens("Kolmogorov\u2019s law") == ["kolmogorov", "law"]


def test_scripts_without_spaces_are_matched_by_pairs_of_characters() -> None:
    assert tokens("線形代数") == ["線形", "形代", "代数"]


def test_hindi_words_keep_their_vowel_signs() -> None:
    assert tokens("शब्दों का अर्थ") == ["शब्दों", "का", "अर्थ"]


@pytest.mark.parametrize(
    ("language", "inflected", "other"),
    [("en", "networks", "network"), ("pl", "rozmowy", "rozmowach"), ("de-AT", "Zahlen", "Zahl")],
)
def test_inflected_words_meet(language: str, inflected: str, other: str) -> None:
    assert stems(inflected, language) == stems(other, language)


def test_a_name_is_found_by_its_stem_in_any_language() -> None:
    [polish] = stems("Bernoulli", "pl")
    assert polish in any_stem("bernoulli")


def test_small_words_of_the_question_s_language_are_not_its_content() -> None:
    assert content_words("how does the prism bend blue light") == ["prism", "bend", "blue", "light"]
    assert content_words("Warum ist die Zahl so wichtig?") == ["zahl", "wichtig"]


def test_a_question_of_small_words_alone_keeps_them() -> None:
    assert content_words("who is it") == ["who", "is", "it"]


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("why did he pick two of them", "en"),
        ("Dlaczego dłuższe rozmowy gubiły wątek?", "pl"),
        ("¿Por qué el azul se desvía más que el rojo?", "es"),
        ("Pourquoi est-ce que la somme est finie ?", "fr"),
        ("これは何ですか", "ja"),
        ("这是什么", "zh"),
        ("이것은 무엇입니까", "ko"),
        ("xyzzy", "en"),
    ],
)
def test_a_question_s_language_shows_in_its_small_words(question: str, language: str) -> None:
    assert guess_language(tokens(question)) == language


def test_a_term_has_the_same_dimension_for_ever() -> None:
    assert term_id("network") == 0x608487BC


def test_a_word_said_twice_weighs_more_but_not_double() -> None:
    once = weights("a prism bends light", "en")
    twice = weights("a prism bends a prism", "en")
    dimension = term_id(stems("prism", "en")[0])
    assert once[dimension] < twice[dimension] < 2 * once[dimension]


def test_a_longer_chunk_weighs_each_word_less() -> None:
    dimension = term_id(stems("prism", "en")[0])
    assert weights("prism " + "word " * 200, "en")[dimension] < weights("prism", "en")[dimension]


@pytest.mark.parametrize(
    ("text", "measured"),
    [
        ("The charges wiggle up and down at the frequency of the light that hits the glass.", 20),
        ("そういった公理や動機のわからない定義が、理解を困難にしており、", 18),
        ("हमारे पास एक बंद वक्र है जिस पर चार बिंदु हैं।", 17),
    ],
)
def test_tokens_are_estimated_within_a_quarter(text: str, measured: int) -> None:
    assert token_estimate(text) == pytest.approx(measured, rel=0.25)
