import pytest

from agent.meaning import Meaning
from agent.quotes import Claim, best_sentences, prove, prove_by_meaning, without_lead
from talker.embeddings import LocalEmbeddings
from talker.sentences import Sentence

SAID = [
    "Welcome back to the channel.",
    "Inside GPT-3 each block has 96 attention heads.",
    "Every head has its own key, query and value maps.",
    "So with 96 blocks you get just under 58 billion parameters.",
    "Next time we look at the multilayer perceptrons.",
]
GERMAN = [
    "Willkommen zurück auf dem Kanal.",
    "Die höchstmögliche Punktzahl wäre also 120.",
    "Die durchschnittlich erreichte Punktzahl liegt bei 1 oder 2.",
]


def said(*texts: str) -> list[Sentence]:
    return [Sentence(n * 4000, n * 4000 + 4000, text, n, n) for n, text in enumerate(texts)]


def quoting(quote: str) -> Claim:
    return Claim(f"It is said that “{quote}”", "en", (quote,))


@pytest.mark.parametrize(
    ("claim", "start_ms"),
    [
        ("There are 96 attention heads in each block.", 4000),
        ("Each head uses its own map for keys, queries and values", 8000),
        ("All blocks together have about 58 billion parameters", 12000),
    ],
)
def test_a_claim_is_proved_by_the_sentence_that_says_it(claim: str, start_ms: int) -> None:
    found = prove(Claim(claim, "en"), said(*SAID))
    assert found is not None
    assert found.start_ms == start_ms


@pytest.mark.parametrize(
    "claim",
    [
        "Bitcoin mining uses as much electricity as a small country",
        "The dough should rest in the fridge for twelve hours",
        "",
    ],
)
def test_what_nobody_said_is_not_proved(claim: str) -> None:
    assert prove(Claim(claim, "en"), said(*SAID)) is None


TALE = [
    "A ledger is kept by everybody on the network, so that no bank is needed.",
    "Each block of the ledger names the one before it by its hash.",
    "Whoever wants to change a payment of last year would have to do the work of all later blocks.",
    "That is why honest miners win as long as they have most of the computing power.",
    "Next time we talk about the sea.",
]


def test_a_claim_that_sums_up_neighbouring_sentences_is_proved_by_them() -> None:
    claim = (
        "Since every block has a hash of an earlier one, changing a payment means doing the work"
        " again, so honest people win while they own most of the computers"
    )
    found = prove(Claim(claim, "en"), said(*TALE))
    assert found is not None
    assert found.start_ms == 4000
    assert prove(Claim(claim, "en"), said(*SAID)) is None


def test_words_gathered_from_all_over_a_passage_prove_nothing() -> None:
    claim = "The bank hires miners who hash its payments beside the sea for next year's network"
    assert prove(Claim(claim, "en"), said(TALE[0], *SAID, TALE[2], *SAID, TALE[4])) is None


def test_nothing_is_proved_by_nothing() -> None:
    assert prove(Claim("There are 96 heads", "en"), []) is None
    assert prove(Claim("There are 96 heads", "en", ("96 heads",)), []) is None


def test_a_quote_is_found_in_spite_of_case_marks_and_a_slip() -> None:
    found = prove(quoting("inside gpt 3, each block has 96 atention heads"), said(*SAID))
    assert found is not None
    assert (found.start_ms, found.end_ms, found.text) == (4000, 8000, SAID[1])


def test_a_quote_over_two_sentences_plays_both() -> None:
    found = prove(quoting("96 attention heads. Every head has its own key"), said(*SAID))
    assert found is not None
    assert (found.start_ms, found.end_ms) == (4000, 12000)
    assert found.text == f"{SAID[1]} {SAID[2]}"


@pytest.mark.parametrize(
    "quote", ["each block has one thousand two hundred tiny experts", "!!!", SAID[1] * 12]
)
def test_a_quote_that_was_not_said_is_not_found(quote: str) -> None:
    assert prove(quoting(quote), said(*SAID)) is None


def test_an_extract_is_the_sentences_with_the_question_s_words() -> None:
    found = best_sentences("how many attention heads are in a block", said(*SAID))
    assert SAID[1] in [one.text for one in found]
    assert len(found) == 2


def test_an_extract_in_another_language_is_the_beginning() -> None:
    assert best_sentences("xyzzy plugh", said(*SAID), limit=1) == said(*SAID)[:1]
    assert best_sentences("anything", []) == []


def test_a_lead_in_without_the_question_s_words_is_left_out() -> None:
    assert without_lead("how many attention heads", said(*SAID)) == said(*SAID)[1:]
    assert without_lead("welcome to which channel", said(*SAID)) == said(*SAID)
    assert without_lead("nothing of the kind", said(*SAID)) == said(*SAID)
    assert without_lead("how many attention heads", said(*SAID[:2])) == said(*SAID[:2])


async def test_a_claim_in_another_language_is_proved_by_meaning() -> None:
    embeddings = LocalEmbeddings()
    meaning = Meaning(embeddings)
    found = await prove_by_meaning(
        Claim("People reach only 1 or 2 points on average", "en"), said(*GERMAN), "de", (), meaning
    )
    assert found is not None
    assert found.text == GERMAN[2]
    bread = Claim("Bread is baked in an iron pot", "en")
    assert await prove_by_meaning(bread, said(*GERMAN), "de", (), meaning) is None
    assert await prove_by_meaning(bread, [], "de", (), meaning) is None
    await embeddings.aclose()
