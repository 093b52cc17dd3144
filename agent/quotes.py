"""Citations proved: the caption words that bear a claim out, and which sentences answer."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from langchain_core.embeddings import Embeddings
from rapidfuzz import fuzz, utils

from talker.sentences import Sentence, joined
from talker.text import any_stem, content_words, stems

MIN_QUOTE_RATIO = 80
"""rapidfuzz's partial ratio at which a quote counts as said: punctuation, case, a slip or two."""

EDGE_CHARS = 3

MIN_SUPPORT = 0.3
"""Share of a claim's words, weighted by rarity, that a sentence must have to bear it out.

Of true claims about real captions it keeps nine in ten; of the same claims beside passages that
are near but do not bear them out, one in thirty.
"""

MIN_COSINE = 0.83
"""The same across languages, by the local model's cosines: six in seven, and one in five."""


def prove(
    claim: str, quote: str | None, sentences: Sequence[Sentence], language: str = "en"
) -> Sentence | None:
    """The caption words that bear a claim out, or None where none do.

    A quote that the model wrote must be found in the captions, and may run over several
    sentences; without one, it is the sentence with most of the claim's words, if it has enough.
    """
    if quote:
        return _quoted(quote, sentences)
    best, sentence = _most(claim, sentences, language)
    return sentence if best >= MIN_SUPPORT else None


def best_sentences(
    question: str, sentences: Sequence[Sentence], language: str = "en", limit: int = 2
) -> list[Sentence]:
    """Up to `limit` sentences in a row that have most of a question's words.

    The first ones where none has any, as when the question is in another language.
    """
    if not sentences:
        return []
    shares = support(question, sentences, language)
    starts = range(max(1, len(sentences) - limit + 1))
    best = max(starts, key=lambda start: sum(shares[start : start + limit]))
    return list(sentences[best : best + limit])


def without_lead(
    question: str, sentences: Sequence[Sentence], language: str = "en"
) -> Sequence[Sentence]:
    """Without a first sentence that has none of the question's words when a later one has."""
    if len(sentences) < 3:
        return sentences
    first, *others = support(question, sentences, language)
    return sentences[1:] if not first and any(others) else sentences


def support(claim: str, sentences: Sequence[Sentence], language: str) -> list[float]:
    """From 0 to 1, how much of a claim's words each sentence has; rarer ones count more."""
    said = [set(stems(sentence.text, language)) for sentence in sentences]
    frequency = Counter(stem for one in said for stem in one)
    weights = []
    for wanted in map(any_stem, content_words(claim)):
        common = max(frequency[stem] for stem in wanted)
        weights.append((wanted, math.log1p(len(sentences) / (1 + common))))
    whole = sum(weight for _, weight in weights) or 1.0
    return [sum(weight for wanted, weight in weights if wanted & one) / whole for one in said]


def _most(
    claim: str, sentences: Sequence[Sentence], language: str
) -> tuple[float, Sentence | None]:
    shares = support(claim, sentences, language)
    return max(zip(shares, sentences, strict=True), key=lambda pair: pair[0], default=(0.0, None))


async def prove_by_meaning(
    claim: str, sentences: Sequence[Sentence], embeddings: Embeddings
) -> Sentence | None:
    """The sentence nearest to a claim in another language, or None where none is near.

    For captions whose words a claim cannot share; local embeddings take some 10 ms a sentence.
    Raises ModelError's kinds when a remote embedding model fails.
    """
    if not sentences:
        return None
    vector = np.array(await embeddings.aembed_query(claim))
    said = np.array(await embeddings.aembed_documents([one.text for one in sentences]))
    cosines = said @ vector
    best = int(cosines.argmax())
    return sentences[best] if cosines[best] >= MIN_COSINE else None


def _quoted(quote: str, sentences: Sequence[Sentence]) -> Sentence | None:
    """The sentences over which a quote runs, as one; None where it was not said like that."""
    wanted = utils.default_process(quote)
    texts = [f"{utils.default_process(sentence.text)} " for sentence in sentences]
    whole = "".join(texts)
    if not wanted or len(wanted) > len(whole):
        return None
    found = fuzz.partial_ratio_alignment(wanted, whole, score_cutoff=MIN_QUOTE_RATIO)
    if found is None:
        return None
    ends = list(accumulate(map(len, texts)))
    # A letter or two over a sentence's edge is the alignment's slack, not a quote of it.
    first = bisect_right(ends, found.dest_start + EDGE_CHARS)
    last = bisect_right(ends, max(found.dest_end - 1 - EDGE_CHARS, found.dest_start))
    return as_one(sentences[min(first, last) : last + 1])


def as_one(said: Sequence[Sentence]) -> Sentence:
    """Neighbouring sentences as a single one."""
    return Sentence(
        start_ms=said[0].start_ms,
        end_ms=max(sentence.end_ms for sentence in said),
        text=joined([sentence.text for sentence in said]),
        first_segment=said[0].first_segment,
        last_segment=said[-1].last_segment,
    )
