"""The answer without a model: the sentences that answer best, in the speakers' own words."""

from collections.abc import Sequence

from rapidfuzz import fuzz

from agent.citations import citation, is_foreign, spoken
from agent.meaning import Meaning
from agent.quotes import as_one, best_sentences
from agent.state import Citation, Passage
from talker.sentences import Sentence

QUOTED_PASSAGES = 3
"""How many passages an extractive answer quotes at most, a sentence or two of each."""

ADDS_WITHIN = 1.5
"""How far below the first passage's score another may be and still be worth quoting: of those
one in four answers, of those below it one in nine."""

SAME_RATIO = 80
"""rapidfuzz's ratio from which two quotations say the same."""


async def extracted(
    question: str, passages: Sequence[Passage], meaning: Meaning | None
) -> tuple[list[str], list[Citation]]:
    """Lines of Markdown, each a quotation with its number, and the moments behind them."""
    lines: list[str] = []
    citations: list[Citation] = []
    for passage in passages[:QUOTED_PASSAGES]:
        if citations and passages[0]["score"] - passage["score"] > ADDS_WITHIN:
            break
        said = await best_said(question, passage, meaning)
        if any(fuzz.ratio(said.text, before["quote"]) >= SAME_RATIO for before in citations):
            continue
        citations.append(citation(passage["n"], passage, said))
        lines.append(f"- “{said.text}” [{passage['n']}]")
    return lines, citations


async def best_said(question: str, passage: Passage, meaning: Meaning | None) -> Sentence:
    """The one or two sentences of a passage that answer best; one, by meaning, across languages."""
    said, language = spoken(passage), passage["language"]
    if meaning and is_foreign(question, language):
        cosines = await meaning.cosines(question, said)
        return said[cosines.index(max(cosines))]
    return as_one(best_sentences(question, said, language))
