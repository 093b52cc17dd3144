"""Citations proved by code: a number stays only where its passage bears the claim out."""

from collections.abc import Sequence
from typing import NamedTuple

from langchain_core.embeddings import Embeddings
from rapidfuzz import utils

from agent import claims
from agent.claims import (
    Cited,
    cited,
    numbers_in,
    quotes,
    unquoted,
    without_quotes,
    without_times,
)
from agent.figures import figures_claimed, figures_said
from agent.harmless import plain
from agent.meaning import Meaning
from agent.quotes import NEAR_VERBATIM, Claim, is_said, prove, prove_by_meaning
from agent.state import Citation, Passage
from talker.sentences import Sentence
from talker.text import content_words, guess_language, primary, tokens

MIN_OWN_WORDS = 4
"""So many words a sentence has, without its small ones, that is cited by its words alone."""

MIN_TITLE_CHARS = 8
"""A shorter title may be any word."""


class Proved(NamedTuple):
    """An answer's text with the numbers that hold, the moment behind each, and how many claims
    were cited in vain."""

    content: str
    citations: list[Citation]
    unproved: int


async def prove_citations(
    text: str,
    passages: Sequence[Passage],
    embeddings: Embeddings | None = None,
    meaning: Meaning | None = None,
) -> Proved:
    """The answer with only those numbers that hold, and the moment behind each.

    `embeddings` are the local ones, by which a claim is compared with captions in another
    language; without them only words that both share can prove it. `meaning` is given where
    it was prepared. Links, images and moments that the model wrote are taken out, and words
    that it put in quotation marks lose these where no passage has them.

    A passage's number stands for the first moment it is cited for; a second moment of the same
    passage gets a number of its own, above all passages', so that each number plays one second.
    """
    if meaning is None and embeddings is not None:
        meaning = Meaning(embeddings)
    text = without_times(plain(text))
    numbered = _Numbering(passages, meaning, guess_language(tokens(text)))
    parts: list[str] = []
    unproved = 0
    for stretch in cited(text):
        kept = await numbered.cite(stretch)
        written = "".join(f"[{n}]" for n in kept)
        parts += [stretch.text, stretch.space + written if written else ""]
        unproved += bool(stretch.numbers) and not kept
    content = unquoted("".join(parts).strip(), numbered.invented(quotes(text)))
    return Proved(content, numbered.citations(), unproved)


def cited_by_words(text: str, passages: Sequence[Passage]) -> str:
    """A text that names no passage, with the number of one behind each sentence that says it in
    much the same words."""
    if numbers_in(text):
        return text
    numbering = _Numbering(passages, None, guess_language(tokens(text)))
    return claims.numbered(text, numbering.said_in)


class _Numbering:
    def __init__(self, passages: Sequence[Passage], meaning: Meaning | None, language: str) -> None:
        self._meaning = meaning
        self._language = language
        self._passages = {passage["n"]: passage for passage in passages}
        self._titles = {passage["video_id"]: _letters(passage["title"]) for passage in passages}
        self._next = max(self._passages, default=0) + 1
        self._cited: dict[tuple[int, int, int], Citation] = {}

    def said_in(self, sentence: str) -> int | None:
        """The passage that has a sentence in much the same words; a few may be said anywhere."""
        if len(content_words(sentence)) < MIN_OWN_WORDS:
            return None
        for n, passage in self._passages.items():
            claim = self._claim(sentence, sentence)
            known = self._known(passage)
            if prove(claim, spoken(passage), passage["language"], known, least=NEAR_VERBATIM):
                return n
        return None

    async def cite(self, stretch: Cited) -> list[int]:
        """The numbers of the moments that bear a stretch's claim out, each once."""
        found = [await self._moment(n, stretch) for n in stretch.numbers]
        return list(dict.fromkeys(n for n in found if n is not None))

    async def _moment(self, n: int, stretch: Cited) -> int | None:
        passage = self._passages.get(n)
        if passage is None or not self._is_about(stretch.claim, passage):
            return None
        found = await self._prove(stretch, passage)
        if found is None:
            return None
        key = (n, found.start_ms, found.end_ms)
        if key not in self._cited:
            self._cited[key] = citation(self._number(n), passage, found)
        return self._cited[key]["n"]

    async def _prove(self, stretch: Cited, passage: Passage) -> Sentence | None:
        said, language = spoken(passage), passage["language"]
        known = self._known(passage)
        claim = self._claim(stretch.claim, f"{stretch.claim} {stretch.rest}")
        found = prove(claim, said, language, known)
        foreign = self._language != primary(language)
        if found is None and foreign and not claim.quotes and self._meaning:
            found = await prove_by_meaning(claim, said, language, known, self._meaning)
        return found

    def _claim(self, text: str, sentence: str) -> Claim:
        """What a text claims, with the figures of the whole sentence that it is of."""
        return Claim(
            text=text,
            language=self._language,
            quotes=tuple(q for q in quotes(text) if not self._is_title(q)),
            figures=figures_claimed(without_quotes(sentence), self._language),
        )

    def _known(self, passage: Passage) -> frozenset[float]:
        """Figures that an answer has from the video's title and date."""
        named = f"{passage['title']} {passage['channel'] or ''} {passage['published_at'] or ''}"
        return figures_said(named.replace("-", " "), self._language)

    def _is_about(self, claim: str, passage: Passage) -> bool:
        """False where a claim names other videos by their titles, and not this one."""
        said = _letters(claim)
        named = {
            video_id
            for video_id, title in self._titles.items()
            if len(title) >= MIN_TITLE_CHARS and title in said
        }
        return not named or passage["video_id"] in named

    def _is_title(self, quote: str) -> bool:
        return _letters(quote) in self._titles.values()

    def invented(self, found: Sequence[str]) -> list[str]:
        """Those quotes that are no passage's words, and no title."""
        passages = self._passages.values()
        return [
            quote
            for quote in found
            if not self._is_title(quote)
            and not any(is_said(quote, spoken(one), one["language"]) for one in passages)
        ]

    def _number(self, n: int) -> int:
        if all(cited_n != n for cited_n, _, _ in self._cited):
            return n
        self._next += 1
        return self._next - 1

    def citations(self) -> list[Citation]:
        return list(self._cited.values())


def _letters(text: str) -> str:
    letters: str = utils.default_process(text)
    return letters


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
        claim=None,
    )
