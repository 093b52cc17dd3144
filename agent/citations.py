"""Citations proved by code: a number stays only where its passage bears the claim out."""

import re
from collections.abc import Sequence

from langchain_core.embeddings import Embeddings

from agent.quotes import prove, prove_by_meaning
from agent.state import Citation, Passage
from talker.sentences import Sentence
from talker.text import guess_language, primary, tokens

MARK = re.compile(r"\s*[\[【](\d+(?:\s*[,;]\s*\d+)*)[\]】](?!\()")
"""`[2]`, `[2, 3]` and the brackets some models prefer; not a Markdown link's text."""

CLAIM_START = re.compile(r"(?:[.!?…।。！？]['\"”’»)*_]*\s+|\n+|[。！？])")
QUOTED = re.compile(r"[“\"„«]([^“”\"„«»]{12,})[”\"»]")
"""Words that the answer puts in quotation marks and so says were said; shorter ones are names."""


async def prove_citations(
    text: str, passages: Sequence[Passage], embeddings: Embeddings | None = None
) -> tuple[str, list[Citation]]:
    """The answer with only those numbers that hold, and the moment behind each.

    `embeddings` are the local ones, by which a claim is compared with captions in another
    language; without them only words that both share can prove it.

    A passage's number stands for the first moment it is cited for; a second moment of the same
    passage gets a number of its own, above all passages', so that each number plays one second.
    """
    numbered = _Numbering(passages, embeddings)
    parts: list[str] = []
    claim = ""
    end = 0
    for mark in MARK.finditer(text):
        between = text[end : mark.start()]
        parts.append(between)
        end = mark.end()
        if between.strip():  # [1][2] and [1] [2] stand behind the same claim
            claim = _claim(between)
        kept = [await numbered.cite(int(number), claim) for number in re.findall(r"\d+", mark[1])]
        written = "".join(f"[{n}]" for n in dict.fromkeys(kept) if n is not None)
        space = " " if mark[0][0].isspace() else ""
        parts.append(space + written if written else "")
    parts.append(text[end:])
    return "".join(parts).strip(), numbered.citations()


def _claim(text: str) -> str:
    """The last sentence of a stretch of text, which is what a number behind it speaks for."""
    bare = text.strip()
    starts = [found.end() for found in CLAIM_START.finditer(bare) if found.end() < len(bare)]
    return bare[starts[-1] :] if starts else bare


class _Numbering:
    def __init__(self, passages: Sequence[Passage], embeddings: Embeddings | None) -> None:
        self._embeddings = embeddings
        self._passages = {passage["n"]: passage for passage in passages}
        self._next = max(self._passages, default=0) + 1
        self._cited: dict[tuple[int, int, int], Citation] = {}

    async def cite(self, n: int, claim: str) -> int | None:
        """The number of the moment that bears the claim out, or None where there is none."""
        passage = self._passages.get(n)
        if passage is None:
            return None
        quoted = QUOTED.search(claim)
        said, language = spoken(passage), passage["language"]
        found = prove(claim, quoted[1] if quoted else None, said, language)
        if found is None and not quoted and self._embeddings and is_foreign(claim, language):
            found = await prove_by_meaning(claim, said, self._embeddings)
        if found is None:
            return None
        key = (n, found.start_ms, found.end_ms)
        if key not in self._cited:
            self._cited[key] = citation(self._number(n), passage, found)
        return self._cited[key]["n"]

    def _number(self, n: int) -> int:
        if all(cited_n != n for cited_n, _, _ in self._cited):
            return n
        self._next += 1
        return self._next - 1

    def citations(self) -> list[Citation]:
        return list(self._cited.values())


def spoken(passage: Passage) -> list[Sentence]:
    return [
        Sentence(said["start_ms"], said["end_ms"], said["text"], 0, 0)
        for said in passage["sentences"]
    ]


def is_foreign(text: str, language: str) -> bool:
    """Whether a text is in another language than `language`, so that words cannot be compared."""
    return guess_language(tokens(text)) != primary(language)


def citation(n: int, passage: Passage, said: Sentence) -> Citation:
    return Citation(
        n=n,
        video_id=passage["video_id"],
        youtube_id=passage["youtube_id"],
        title=passage["title"],
        start_ms=said.start_ms,
        end_ms=said.end_ms,
        quote=said.text,
    )
