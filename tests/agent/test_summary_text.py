from collections.abc import Sequence

from agent.sections import ChapterPassages
from agent.state import Citation
from agent.summary_text import Lines, OwnChapters, Prose, SummaryText
from talker.embeddings import open_embeddings
from talker.settings import Settings
from tests.agent.test_citations import LINES, passage

MORE = [
    "A starter is flour and water in which wild yeast and bacteria grow.",
    "Bake the loaf in a hot iron pot at two hundred and fifty degrees.",
]
PASSAGES = [passage(3, *LINES), passage(7, *MORE)]


async def written(text: SummaryText, said: str, size: int = 3) -> tuple[str, str, list[Citation]]:
    """What was shown on the way, then the whole, of a reply that comes in small pieces."""
    shown = ""
    for at in range(0, len(said), size):
        shown += await text.add(said[at : at + size])
    rest, content, citations = await text.finish("")
    return shown + rest, content, citations


async def test_numbers_count_up_in_the_order_in_which_they_are_cited() -> None:
    shown, content, citations = await written(
        Prose(PASSAGES, None, "en"),
        "A starter is flour and water [7]. Whale falls feed worms and crabs [3]. The loaf "
        "bakes in an iron pot [7].",
    )
    assert content == (
        "A starter is flour and water [1]. Whale falls feed worms and crabs [2]. The loaf "
        "bakes in an iron pot [3]."
    )
    assert [(c["n"], c["quote"]) for c in citations] == [(1, MORE[0]), (2, LINES[1]), (3, MORE[1])]
    assert shown.startswith(
        "A starter is flour and water [1]. Whale falls feed worms and crabs [2]"
    )


async def test_numbers_and_times_that_a_model_invents_are_not_even_shown() -> None:
    shown, content, citations = await written(
        Prose(PASSAGES, None, "en"),
        "Whale falls feed worms and crabs [12:34] [3][99]. At last (1:02:03) they go [88].",
    )
    assert shown == content == "Whale falls feed worms and crabs [1]. At last they go."
    assert [c["start_ms"] for c in citations] == [305_000]


async def test_a_moments_time_is_that_of_the_words_that_prove_it() -> None:
    shown, content, citations = await written(
        Lines(PASSAGES, None),
        "- 99:99 **The fall**: whale falls feed worms and crabs for fifty years [3]\n"
        "- **Baking**: bake the loaf in a hot iron pot [7]\n",
    )
    assert content == (
        "- 5:05 **The fall**: whale falls feed worms and crabs for fifty years [1]\n"
        "- 11:45 **Baking**: bake the loaf in a hot iron pot [2]"
    )
    assert shown == content
    assert [c["start_ms"] for c in citations] == [305_000, 705_000]


async def test_moments_that_nothing_proves_are_left_out_and_the_others_come_in_order() -> None:
    _, content, citations = await written(
        Lines(PASSAGES, None),
        "Here are the key moments:\n"
        "- **Baking**: bake the loaf in a hot iron pot [7]\n"
        "- **Money**: the price of gold rose in Zurich yesterday [3]\n"
        "- **The lamp**: bacteria make the anglerfish's lamp glow [3]\n"
        "- **Baking again**: the loaf bakes in an iron pot [7]",
    )
    assert [line.split("**")[1] for line in content.splitlines()] == ["The lamp", "Baking"]
    assert sorted(c["start_ms"] for c in citations) == [300_000, 705_000]


CHAPTERS = [
    ChapterPassages(start_ms=299_000, title="The deep", first=3, last=3),
    ChapterPassages(start_ms=650_000, title="Interlude", first=4, last=4),
    ChapterPassages(start_ms=699_000, title="Bread", first=7, last=7),
]


async def chapters(said: Sequence[str]) -> tuple[str, str, list[Citation]]:
    passages = [*PASSAGES[:1], passage(4, "The band plays on and on."), PASSAGES[1]]
    return await written(OwnChapters(passages, CHAPTERS, None), "\n".join(said))


async def test_the_videos_own_chapters_keep_their_times_and_titles() -> None:
    shown, content, citations = await chapters(
        [
            "1. Whale falls feed worms and crabs for fifty years [3]",
            "3. The loaf is baked in a hot iron pot [7]",
        ]
    )
    assert content.splitlines() == [
        "- 4:59 **The deep** [1]: Whale falls feed worms and crabs for fifty years [2]",
        "- 10:50 **Interlude** [3]",
        "- 11:39 **Bread** [4]: The loaf is baked in a hot iron pot [5]",
    ]
    assert shown == content
    assert [c["start_ms"] for c in citations] == [300_000, 305_000, 400_000, 700_000, 705_000]


async def test_a_chapter_is_not_described_by_what_is_said_in_another_one() -> None:
    _, content, _ = await chapters(["3. Whale falls feed worms and crabs for fifty years [3]"])
    assert content.splitlines() == [
        "- 4:59 **The deep** [1]",
        "- 10:50 **Interlude** [2]",
        "- 11:39 **Bread** [3]",
    ]


async def test_a_chapters_title_is_no_link_or_picture() -> None:
    evil = [
        ChapterPassages(
            0, "[See](https://evil.example/x) it now ![](https://evil.example/p.png)", 3, 3
        )
    ]
    _, content, _ = await written(OwnChapters(PASSAGES, evil, None), "")
    assert content == "- 0:00 **See it now** [1]"


async def test_links_pictures_and_our_instructions_are_no_part_of_a_summary() -> None:
    text = Prose(PASSAGES, None, "en")
    said = (
        "Whale falls feed worms and crabs [3]. ![x](https://evil.example/p.png)"
        "Say only what the rules of this very prompt allow you to say. See www.evil.example now."
    )
    shown = "".join([await text.add(word + " ") for word in said.split(" ")])
    _, content, _ = await text.finish(
        "Say only what the rules of this very prompt allow you to say."
    )
    assert "evil.example" not in shown + content
    assert "very prompt" not in content
    assert content.startswith("Whale falls feed worms and crabs [1].")


async def test_a_claim_that_is_not_borne_out_marks_the_summary() -> None:
    _, content, citations = await written(
        Prose(PASSAGES, None, "en"), "The price of gold rose in Zurich yesterday [3]."
    )
    assert content.startswith("The price of gold rose in Zurich yesterday.\n\n*")
    assert citations == []


async def test_a_summary_in_another_language_is_proved_by_meaning() -> None:
    embeddings = open_embeddings(Settings(_env_file=None))
    text = Lines(PASSAGES, embeddings)
    said = "- **Die Laterne**: Die Laterne des Anglerfisches leuchtet wegen der Bakterien [3]\n"
    _, content, citations = await written(text, said)
    text.close()
    assert content.startswith("- 5:00 **Die Laterne**")
    assert [c["quote"] for c in citations] == [LINES[0]]
