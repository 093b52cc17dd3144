"""Citations proved: the caption words that bear a claim out, and which sentences answer."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import regex
from rapidfuzz import fuzz, utils

from agent.figures import LEAST_SPELLED, as_digits, bears_figures, figures_claimed, figures_said
from agent.meaning import Meaning
from agent.negation import contradicts
from talker.sentences import Sentence, joined
from talker.text import any_stem, content_words, guess_language, stems, tokens

MIN_QUOTE_RATIO = 80
"""rapidfuzz's partial ratio at which a quote counts as said: punctuation, case, a slip or two."""

EDGE_CHARS = 3

MIN_SUPPORT = 0.3
"""Share of a claim's words, weighted by rarity, that a sentence must have to bear it out.

Of sentences of real captions, said without their small words, it keeps all, beside other passages
found for the same question one in twelve; of long answers put in other words six in ten, which may
well say what no single sentence says, and one in eleven. `make bench` prints what it does now.
"""

MIN_WORDS = 3
"""So many of a claim's words a sentence must have besides: one rare word may be said anywhere."""

SUMMED_UP, SUMMED_WORDS = 3, 6
"""A claim that sums up what was said has its words from so many sentences in a row, and at least so
many of them. On reference answers beside the passages that they are from: nine in ten are proved,
where one sentence alone proves 84 in a hundred, and beside other passages of the same video still
two in a hundred; with five words it were five."""

NEAR_VERBATIM = 0.6
"""Share of a claim's words from which a sentence is the claim's own, but for a "not" in one."""

MIN_COSINE = 0.83
"""The same across languages, by the local model's cosines: six in seven, and one in five."""

MIN_LEAD = 0.03
"""How much nearer than the passage's other sentences that one must be: to words that mean nothing
all are about as near."""

FIGURES_WITHIN = 2
"""How many sentences away from the one that bears a claim out its figures may stand."""

_THOUSANDS = regex.compile(r"(?<=\d)[,.](?=\d)")
_CUT = regex.compile(r"\s*(?:\[?(?:…|\.\.\.)\]?)\s*")
"""Where a quote leaves words out."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a citation stands behind; `quotes` are words that it says were said.

    `figures` are its numbers, each as the values it may be read as.
    """

    text: str
    language: str
    quotes: tuple[str, ...] = ()
    figures: Sequence[set[float]] = ()


def prove(
    claim: Claim,
    sentences: Sequence[Sentence],
    language: str = "en",
    known: Collection[float] = (),
    *,
    least: float = MIN_SUPPORT,
) -> Sentence | None:
    """The caption words that bear a claim out, or None where none do.

    `least` is the share of the claim's words that they must have.

    Quotes must be found in the captions, and may run over several sentences; without one, it is
    the sentence with most of the claim's words, if it has enough, else neighbours that have.
    Figures must be said there or close by, or be among the `known` ones; and where the words are
    the same, both must deny or neither. A claim that turns the meaning round in other words is
    not seen through.
    """
    if claim.quotes:
        return _quoted(claim, sentences, language, known)
    shares = support(claim.text, sentences, language, claim.language)
    # Where a sentence has the claim's own words, one with fewer of them is not what was meant.
    verbatim = max(shares, default=0.0) >= NEAR_VERBATIM
    for at in _best_first(shares, NEAR_VERBATIM if verbatim else least):
        said = sentences[at].text
        if not _has_words(claim, said, language):
            continue
        if verbatim and _denied(claim, said, language, known):
            continue
        if found := _with_figures(claim, sentences, (at, at), language, known):
            return found
    return None if verbatim else _summed_up(claim, sentences, language, known, least)


def _summed_up(
    claim: Claim,
    sentences: Sequence[Sentence],
    language: str,
    known: Collection[float],
    least: float,
) -> Sentence | None:
    """The neighbouring sentences that together have enough of a claim's words."""
    said = [_stems(sentence.text, language) for sentence in sentences]
    weights = _weights(claim.text, said, claim.language)
    starts = range(len(sentences) - SUMMED_UP + 1)
    found = []
    for start in starts:
        together = frozenset().union(*said[start : start + SUMMED_UP])
        shared = [weight for wanted, weight in weights if not wanted.isdisjoint(together)]
        found.append(_share(shared, weights) if len(shared) >= SUMMED_WORDS else 0.0)
    for start in _best_first(found, least):
        span = (start, start + SUMMED_UP - 1)
        together_said = joined([one.text for one in sentences[start : start + SUMMED_UP]])
        if found[start] >= NEAR_VERBATIM and _denied(claim, together_said, language, known):
            continue
        if proved := _with_figures(claim, sentences, span, language, known):
            return proved
    return None


async def prove_by_meaning(
    claim: Claim,
    sentences: Sequence[Sentence],
    language: str,
    known: Collection[float],
    meaning: Meaning,
) -> Sentence | None:
    """The sentence nearest to a claim in another language, or None where none is near.

    For captions whose words a claim cannot share. Figures and denials count as in `prove`.
    Raises ModelError's kinds when a remote embedding model fails.
    """
    if not sentences:
        return None
    cosines = await meaning.cosines(claim.text, sentences)
    others = (sum(cosines) - max(cosines)) / max(1, len(cosines) - 1)
    for at in _best_first(cosines, max(MIN_COSINE, others + MIN_LEAD)):
        if contradicts(claim.text, claim.language, sentences[at].text, language):
            continue
        if found := _with_figures(claim, sentences, (at, at), language, known):
            return found
    return None


def is_said(quote: str, sentences: Sequence[Sentence], language: str) -> bool:
    return _spans(quote, sentences, language) is not None


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


def support(
    claim: str, sentences: Sequence[Sentence], language: str, claim_language: str | None = None
) -> list[float]:
    """From 0 to 1, how much of a claim's words each sentence has; rarer ones count more."""
    said = [_stems(sentence.text, language) for sentence in sentences]
    weights = _weights(claim, said, claim_language)
    return [
        _share([weight for wanted, weight in weights if not wanted.isdisjoint(one)], weights)
        for one in said
    ]


def _weights(
    claim: str, said: Sequence[frozenset[str]], claim_language: str | None
) -> list[tuple[frozenset[str], float]]:
    """A claim's words, as `_wanted` has them, and how much each tells among some sentences."""
    frequency = Counter(stem for one in said for stem in one)
    weights = []
    for wanted in _wanted(claim, claim_language):
        common = max(frequency[stem] for stem in wanted)
        weights.append((wanted, math.log1p(len(said) / (1 + common))))
    return weights


def _share(shared: Sequence[float], weights: Sequence[tuple[frozenset[str], float]]) -> float:
    return sum(shared) / (sum(weight for _, weight in weights) or 1.0)


def _has_words(claim: Claim, said: str, language: str) -> bool:
    """Whether a sentence has MIN_WORDS of a claim's words, or all but one of fewer."""
    wanted, there = _wanted(claim.text, claim.language), _stems(said, language)
    shared = sum(not one.isdisjoint(there) for one in wanted)
    return shared >= min(MIN_WORDS, max(1, len(wanted) - 1))


def _wanted(claim: str, claim_language: str | None) -> list[frozenset[str]]:
    """The stems by which each word of a claim may be met in captions."""
    digits = as_digits(claim, claim_language or guess_language(tokens(claim)))
    return [any_stem(word) for word in content_words(digits)]


@lru_cache(maxsize=20_000)
def _stems(text: str, language: str) -> frozenset[str]:
    """A sentence's, its numbers as digits; kept, since an answer cites it more than once."""
    return frozenset(stems(as_digits(text, language), language))


def _best_first(scores: Sequence[float], least: float) -> list[int]:
    """The places of those scores that are high enough, the highest first."""
    enough = [at for at, score in enumerate(scores) if score >= least]
    return sorted(enough, key=lambda at: -scores[at])


def _denied(claim: Claim, said: str, language: str, known: Collection[float]) -> bool:
    """Whether words that are the claim's own deny it, or have another figure in place of one."""
    if contradicts(claim.text, claim.language, said, language):
        return True
    there = figures_said(said, language)
    if bears_figures(claim.figures, there.union(known)):
        return False
    claimed = set().union(*claim.figures)
    return any(value > LEAST_SPELLED and value not in claimed for value in there)


def _with_figures(
    claim: Claim,
    sentences: Sequence[Sentence],
    span: tuple[int, int],
    language: str,
    known: Collection[float],
) -> Sentence | None:
    """The sentences of a span, with those beside it that say the claim's figures."""
    first, last = span
    for more in range(FIGURES_WITHIN + 1):
        for start, end in ((first - more, last), (first, last + more), (first - more, last + more)):
            stretch = sentences[max(0, start) : end + 1]
            said = {value for one in stretch for value in figures_said(one.text, language)}
            if bears_figures(claim.figures, said.union(known)):
                return as_one(stretch)
    return None


def _quoted(
    claim: Claim, sentences: Sequence[Sentence], language: str, known: Collection[float]
) -> Sentence | None:
    """The sentences over which a claim's quotes run, as one; None where one was not said."""
    spans = [_spans(quote, sentences, language) for quote in claim.quotes]
    found = [span for span in spans if span is not None]
    if len(found) < len(spans):
        return None
    within = (min(first for first, _ in found), max(last for _, last in found))
    return _with_figures(claim, sentences, within, language, known)


def _spans(quote: str, sentences: Sequence[Sentence], language: str) -> tuple[int, int] | None:
    """The first and last sentence of a quote, whose parts must come in order."""
    parts = [part for part in _CUT.split(quote) if part]
    found = [_span(part, sentences, language) for part in parts]
    spans = [span for span in found if span is not None]
    if not spans or len(spans) < len(found) or spans != sorted(spans):
        return None
    return spans[0][0], spans[-1][1]


def _span(quote: str, sentences: Sequence[Sentence], language: str) -> tuple[int, int] | None:
    wanted = _letters(quote, language)
    texts = [f"{_letters(sentence.text, language)} " for sentence in sentences]
    whole = "".join(texts)
    if not wanted or len(wanted) > len(whole):
        return None
    found = fuzz.partial_ratio_alignment(wanted, whole, score_cutoff=MIN_QUOTE_RATIO)
    if found is None:
        return None
    said = whole[found.dest_start : found.dest_end]
    # A slip of the letters is forgiven; another number or a "not" is no slip.
    figures = figures_claimed(wanted, language)
    if not bears_figures(figures, figures_said(said, language)):
        return None
    if contradicts(wanted, language, said, language):
        return None
    ends = list(accumulate(map(len, texts)))
    # A letter or two over a sentence's edge is the alignment's slack, not a quote of it.
    first = bisect_right(ends, found.dest_start + EDGE_CHARS)
    last = bisect_right(ends, max(found.dest_end - 1 - EDGE_CHARS, found.dest_start))
    return min(first, last), last


def _letters(text: str, language: str) -> str:
    """A text without signs and capitals, its numbers as digits however they are written."""
    digits = _THOUSANDS.sub("", as_digits(text, language))
    return utils.default_process(digits)


def as_one(said: Sequence[Sentence]) -> Sentence:
    """Neighbouring sentences as a single one."""
    return Sentence(
        start_ms=said[0].start_ms,
        end_ms=max(sentence.end_ms for sentence in said),
        text=joined([sentence.text for sentence in said]),
        first_segment=said[0].first_segment,
        last_segment=said[-1].last_segment,
    )
