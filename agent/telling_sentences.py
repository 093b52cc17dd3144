"""Summaries without a model: the sentences that say most of what a video is about, as said."""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import regex
from numpy.typing import NDArray

from agent.citations import citation, spoken
from agent.clock import clock
from agent.harmless import plain
from agent.sections import ChapterPassages
from agent.state import Citation, Passage
from agent.topics import stretches, title
from talker.models import SummaryStyle
from talker.sentences import Sentence
from talker.text import primary, stem, stop_words, token_estimate, tokens

Vectors = NDArray[np.float64]

SHORTEST_TOKENS, BEST_TOKENS, LONGEST_TOKENS = 8, (14, 38), 62
"""Of a quoted sentence: a shorter one says little, a longer one is hardly one."""

TOKENS_A_MINUTE = 160
DAMPING = 0.85
"""As in PageRank, from which LexRank has it."""

SAME = 0.5
"""The cosine from which two sentences say the same."""

FILLER = regex.compile(
    r"\b(?:subscrib|patreon|sponsor|like button|thumbs up|hit the bell|notification bell"
    r"|welcome (?:back|to (?:my|the|this|another))|(?:this|my) channel|merch\b|free trial"
    r"|thanks? (?:you )?(?:so much |all )?for (?:watching|listening)|without further ado"
    r"|see you (?:next|in the|soon|later|guys)|in the (?:description|comments)|stay tuned"
    r"|(?:link|comment)s? (?:down )?below|(?:promo|discount) code|let me know in"
    r"|(?:next|last|previous) (?:video|chapter|lesson|episode)"
    r"|subskry|zasubskryb|łapk[ęi] w górę|dzięki za oglądanie|w opisie|zapraszam na"
    r"|następnym filmie|suscr[ií]b|campanita|gracias por ver|en la descripción"
    r"|próximo v[ií]deo|nos vemos|abonn(?:iert|iere|ez|er)|danke fürs zuschauen"
    r"|in der beschreibung|nächsten video|merci d'avoir|dans la description"
    r"|prochaine vidéo|inscreva-se|na descrição|iscrivetevi)"
    r"|チャンネル登録|高評価|概要欄|सब्सक्राइब",
    regex.IGNORECASE,
)
"""What is said about the video and its channel, not in it."""

LEANING = {
    "en": "and but so because or then now this that these those it its it's he she they his her "
    "their there here which well okay ok yeah yes no also though however again instead anyway",
    "es": "y pero así entonces porque o esto eso este esta ese esa él ella ellos también bueno",
    "de": "und aber also denn oder das dies diese dieser es er sie dann nun ja nein auch doch",
    "fr": "et mais donc car ou ça cela ce cette il elle ils elles alors puis oui non aussi",
    "pl": "i a ale więc bo lub to ten ta te on ona ono oni wtedy no tak nie też jednak natomiast",
}
"""Words with which a sentence leans on the one before it, and says little alone."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence that may be quoted: its passage's place, its length, and its place among all."""

    place: int
    number: int
    sentence: Sentence
    tokens: int


def extract(
    passages: Sequence[Passage], chapters: Sequence[ChapterPassages], style: SummaryStyle
) -> tuple[str, list[Citation]]:
    """The text and its citations, in the order in which it was said, of a style that quotes.

    Not `study_guide`, whose questions nobody has said. CPU-bound: some 0.1 s an hour of speech.
    """
    minutes = sum(token_estimate(passage["text"]) for passage in passages) / TOKENS_A_MINUTE
    words = _Words(passages)
    if style == "chapters":
        return _chapters(passages, chapters, words, round(min(max(3.0, 3 + minutes / 6), 20)))
    count = {
        "short": min(max(3.0, 3 + minutes / 20), 6),
        "detailed": min(max(5.0, 4 + minutes / 2), 40),
        "key_moments": min(max(4.0, 4 + minutes / 6), 15),
    }[style]
    chosen = _best_of_each(_even_groups(passages, round(count)), words)
    citations = [_cited(n, passages, said) for n, said in enumerate(chosen, 1)]
    times = [f"{clock(one['start_ms'])} " if style == "key_moments" else "" for one in citations]
    lines = [
        f"- {time}“{one['quote']}” [{one['n']}]" for time, one in zip(times, citations, strict=True)
    ]
    return "\n".join(lines), citations


class _Words:
    """The sentences' words as vectors, those that only few sentences have weighing most."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        language = primary(passages[0]["language"])
        self._leaning = frozenset(LEANING.get(language, "").split())
        self.sentences: list[Sentence] = []
        self.of_passage: list[list[_Said]] = []
        for place, passage in enumerate(passages):
            self.of_passage.append([])
            for sentence in spoken(passage):
                number, length = len(self.sentences), token_estimate(sentence.text)
                self.of_passage[-1].append(_Said(place, number, sentence, length))
                self.sentences.append(sentence)
        self.stems: list[list[str]] = []
        self.spelt: dict[str, Counter[str]] = defaultdict(Counter)
        small = stop_words(language)
        title_words = {stem(token, language) for token in tokens(passages[0]["title"])}
        self._title = title_words - {stem(token, language) for token in small}
        self._written = sum(map(_is_whole, self.sentences)) * 2 > len(self.sentences)
        self._first: list[str] = []
        for sentence in self.sentences:
            said = tokens(sentence.text)
            self._first.append(said[0] if said else "")
            telling = [token for token in said if token not in small and len(token) > 1]
            self.stems.append([stem(token, language) for token in telling])
            for one, token in zip(self.stems[-1], telling, strict=True):
                self.spelt[one][token] += 1
        frequency = Counter(one for said in self.stems for one in set(said))
        self.weight = {
            one: math.log1p(len(self.sentences) / (1 + count)) for one, count in frequency.items()
        }

    def vectors(self, said: Sequence[_Said]) -> Vectors:
        """A unit vector a sentence, over the words that these sentences have."""
        used = sorted({one for one_said in said for one in self.stems[one_said.number]})
        columns = {one: column for column, one in enumerate(used)}
        found = np.zeros((len(said), max(1, len(used))))
        for row, one_said in enumerate(said):
            for one, count in Counter(self.stems[one_said.number]).items():
                found[row, columns[one]] = (1 + math.log(count)) * self.weight[one]
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return found / np.where(lengths > 0, lengths, 1.0)

    def fitness(self, said: _Said) -> float:
        """How well a sentence stands alone: by its length, its first word, its end; more where
        it speaks of what the video is called."""
        least, most = BEST_TOKENS
        if said.tokens < least:
            fit = (said.tokens - SHORTEST_TOKENS + 2) / (least - SHORTEST_TOKENS + 2)
        else:
            fit = 1.0 if said.tokens <= most else most / said.tokens
        if self._first[said.number] in self._leaning:
            fit *= 0.6
        if said.sentence.text.rstrip().endswith(("?", "？", "؟")) or (
            self._written and not _is_whole(said.sentence)
        ):
            fit *= 0.5
        return fit * (1.3 if self._title.intersection(self.stems[said.number]) else 1.0)

    def quotable(self, said: _Said) -> bool:
        return (
            SHORTEST_TOKENS <= said.tokens <= LONGEST_TOKENS
            and len(self.stems[said.number]) >= 3
            and not FILLER.search(said.sentence.text)
        )


def _is_whole(sentence: Sentence) -> bool:
    """Whether it is written from its capital to its full stop, as automatic captions are not."""
    text = sentence.text.rstrip("\"'”’»)")
    return not text[:1].islower() and text[-1:] in ".!?…।。！？"


def _even_groups(passages: Sequence[Passage], count: int) -> list[range]:
    """The passages' places in at most `count` stretches of about one length."""
    ends = list(accumulate(token_estimate(passage["text"]) for passage in passages))
    cuts = {bisect_left(ends, ends[-1] * number / count) for number in range(1, count)}
    bounds = sorted({0, *cuts, len(passages)})
    return [range(left, right) for left, right in pairwise(bounds)]


def _best_of_each(groups: Sequence[range], words: _Words) -> list[_Said]:
    """The sentence of each stretch that says most of it, and nothing that was quoted before."""
    chosen: list[_Said] = []
    for group in groups:
        for one in _ranked(_said_in(group, words), words):
            *before, new = words.vectors([*chosen, one])
            if all(float(other @ new) < SAME for other in before):
                chosen.append(one)
                break
    return chosen or [
        max(_said_in(range(len(words.of_passage)), words), key=lambda one: one.tokens)
    ]


def _said_in(places: Iterable[int], words: _Words) -> list[_Said]:
    return [one for place in places for one in words.of_passage[place]]


def _ranked(said: Sequence[_Said], words: _Words) -> Iterator[_Said]:
    """The quotable sentences, first the one that is most like all the others (LexRank)."""
    quotable = [one for one in said if words.quotable(one)]
    if not quotable:
        return
    vectors = words.vectors(said)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, 0.0)
    weights = alike / np.maximum(alike.sum(axis=1, keepdims=True), 1e-9)
    rank = np.full(len(said), 1 / len(said))
    for _ in range(30):
        rank = (1 - DAMPING) / len(said) + DAMPING * (weights.T @ rank)
    scores = {
        one.number: float(score) * words.fitness(one) for one, score in zip(said, rank, strict=True)
    }
    yield from sorted(quotable, key=lambda one: scores[one.number], reverse=True)


def _chapters(
    passages: Sequence[Passage],
    chapters: Sequence[ChapterPassages],
    words: _Words,
    count: int,
) -> tuple[str, list[Citation]]:
    """A line a chapter: the video's own, else where the topic changes, titled by its words."""
    if chapters:
        places = [range(chapter.first - 1, chapter.last) for chapter in chapters]
        titles = [plain(chapter.title).strip() for chapter in chapters]
        starts = [chapter.start_ms for chapter in chapters]
    else:
        stems = [
            [one for said in group for one in words.stems[said.number]]
            for group in words.of_passage
        ]
        sizes = [token_estimate(passage["text"]) for passage in passages]
        places = stretches(stems, sizes, words.weight, count)
        spelt = {one: forms.most_common(1)[0][0] for one, forms in words.spelt.items()}
        titles = [
            title([one for place in group for one in stems[place]], spelt, words.weight)
            for group in places
        ]
        starts = [passages[group[0]]["sentences"][0]["start_ms"] for group in places]
    lines: list[str] = []
    citations: list[Citation] = []
    for group, name, start_ms in zip(places, titles, starts, strict=True):
        opening = words.of_passage[group[0]][0]
        citations.append(_cited(len(citations) + 1, passages, opening))
        line = f"- {clock(start_ms)} **{name}** [{len(citations)}]"
        best = next(_ranked(_said_in(group, words), words), None)
        if best is not None and best != opening:
            citations.append(_cited(len(citations) + 1, passages, best))
            line += f": “{best.sentence.text}” [{len(citations)}]"
        lines.append(line)
    return "\n".join(lines), citations


def _cited(n: int, passages: Sequence[Passage], said: _Said) -> Citation:
    return citation(n, passages[said.place], said.sentence)
