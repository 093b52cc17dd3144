from agent.citations import cited_by_words, prove_citations
from agent.state import Passage, Said
from talker.embeddings import open_embeddings
from talker.settings import Settings

LINES = [
    "The anglerfish carries a small lamp on its head that glows because of bacteria.",
    "Whale falls feed whole communities of worms and crabs for fifty years.",
    "The deepest dive on record went down ten thousand nine hundred and thirty five metres.",
]


def passage(n: int, *lines: str, language: str = "en") -> Passage:
    said = [
        Said(
            start_ms=n * 100_000 + number * 5_000,
            end_ms=n * 100_000 + number * 5_000 + 4_000,
            text=line,
        )
        for number, line in enumerate(lines)
    ]
    return Passage(
        n=n,
        chunk_id=f"chunk-{n}",
        video_id=f"video-{n}",
        youtube_id=None,
        title="The deep",
        channel=None,
        published_at=None,
        language=language,
        text=" ".join(lines),
        score=1.0,
        cosine=0.9,
        sentences=said,
        shown=said[0],
    )


async def test_a_citation_plays_the_sentence_that_bears_the_claim_out() -> None:
    text, citations, _ = await prove_citations(
        "Bacteria make the anglerfish's lamp glow [1].", [passage(1, *LINES)]
    )
    assert text == "Bacteria make the anglerfish's lamp glow [1]."
    assert [(c["n"], c["start_ms"], c["end_ms"], c["quote"]) for c in citations] == [
        (1, 100_000, 104_000, LINES[0])
    ]


async def test_two_moments_of_one_passage_get_two_numbers() -> None:
    text, citations, _ = await prove_citations(
        "Bacteria make the lamp of the anglerfish glow [1]. "
        "Whale falls feed crabs for fifty years [1].",
        [passage(1, *LINES), passage(2, "Something else is said here altogether.")],
    )
    assert text.count("[1]") == 1
    assert text.endswith("[3].")
    assert [(c["n"], c["start_ms"]) for c in citations] == [(1, 100_000), (3, 105_000)]


async def test_the_same_moment_keeps_its_number() -> None:
    text, citations, _ = await prove_citations(
        "Worms live on whale falls [1]. For fifty years whale falls feed crabs [1].",
        [passage(1, *LINES)],
    )
    assert text.count("[1]") == 2
    assert len(citations) == 1


async def test_a_number_that_names_no_passage_is_removed() -> None:
    text, citations, _ = await prove_citations("Whale falls feed crabs [7].", [passage(1, *LINES)])
    assert (text, citations) == ("Whale falls feed crabs.", [])


async def test_a_claim_that_the_passage_does_not_make_loses_its_number() -> None:
    text, citations, _ = await prove_citations(
        "Bananas are rich in potassium and grow in Ecuador [1].", [passage(1, *LINES)]
    )
    assert (text, citations) == ("Bananas are rich in potassium and grow in Ecuador.", [])


async def test_words_in_quotation_marks_must_have_been_said() -> None:
    text, citations, _ = await prove_citations(
        "“Whale falls feed whole communities” [1], and “crabs rule the deep sea forever” [1].",
        [passage(1, *LINES)],
    )
    assert text == "“Whale falls feed whole communities” [1], and crabs rule the deep sea forever."
    assert [c["quote"] for c in citations] == [LINES[1]]


async def test_numbers_written_together_are_proved_one_by_one() -> None:
    text, citations, _ = await prove_citations(
        "Whale falls feed worms and crabs [1, 2].",
        [passage(1, *LINES), passage(2, "This passage is about sourdough bread in ovens.")],
    )
    assert text == "Whale falls feed worms and crabs [1]."
    assert [c["video_id"] for c in citations] == ["video-1"]


async def test_a_linked_number_is_a_citation_and_its_link_is_not_kept() -> None:
    text, citations, _ = await prove_citations(
        "Whale falls feed crabs [1](https://example.org/a).", [passage(1, *LINES)]
    )
    assert text == "Whale falls feed crabs [1]."
    assert [c["quote"] for c in citations] == [LINES[1]]


async def test_an_answer_without_numbers_stays_as_it_is() -> None:
    assert await prove_citations("The videos do not say.", [passage(1, *LINES)]) == (
        "The videos do not say.",
        [],
        0,
    )


async def test_a_claim_in_another_language_is_proved_by_meaning() -> None:
    embeddings = open_embeddings(Settings(_env_file=None))
    text, citations, _ = await prove_citations(
        "Die Laterne des Anglerfisches leuchtet wegen der Bakterien [1].",
        [passage(1, *LINES)],
        embeddings,
    )
    assert text.endswith("[1].")
    assert [c["quote"] for c in citations] == [LINES[0]]


def test_an_answer_that_names_no_passage_is_cited_where_it_says_a_passage_s_words() -> None:
    said = [passage(1, LINES[0]), passage(2, LINES[1], LINES[2])]
    answer = (
        "The anglerfish carries a small lamp on its head, which glows because of bacteria.\n"
        "- Whale falls feed communities of worms for fifty years.\n\n"
        "Whale falls feed communities of worms for ninety years. Crabs like it there. Ask again!"
    )
    assert cited_by_words(answer, said) == (
        "The anglerfish carries a small lamp on its head, which glows because of bacteria. [1]\n"
        "- Whale falls feed communities of worms for fifty years. [2]\n\n"
        "Whale falls feed communities of worms for ninety years. Crabs like it there. Ask again!"
    )
    assert cited_by_words(f"{LINES[0]} {LINES[1]} [2]", said) == f"{LINES[0]} {LINES[1]} [2]"
