"""Citations proved: the caption words that bear a claim out, and which sentences answer."""

import math
from collections import Counter
from collections.abc import Sequence

from rapidfuzz import fuzz, utils

from talker.sentences import Sentence
from talker.text import any_stem, content_words, stems, tokens

MIN_QUOTE_RATIO = 80
"""rapidfuzz's partial ratio at which a quote counts as said: punctuation, case, a slip or two."""

MIN_SUPPORT = 0.35
"""Share of a claim's words, weighted by rarity, that a sentence must have to bear it out."""


def prove(
    claim: str, quote: str | None, sentences: Sequence[Sentence], language: str = "en"
) -> Sentence | None:
    """The sentence that bears a claim out, or None where none does.

    A quote that the model wrote must be found in the captions; without one, the sentence with
    most of the claim's words is taken, if it has enough of them and all of the claim's numbers
    are in the sentences.
    """
    if quote:
        return _quoted(quote, sentences)
    best = max(
        ((support(claim, sentence, sentences, language), sentence) for sentence in sentences),
        key=lambda pair: pair[0],
        default=(0.0, None),
    )
    return best[1] if best[0] >= MIN_SUPPORT else None


def best_sentences(
    question: str, sentences: Sequence[Sentence], language: str = "en", limit: int = 2
) -> list[Sentence]:
    """The up to `limit` sentences that have most of a question's words, in the order said."""
    scored = sorted(sentences, key=lambda s: -support(question, s, sentences, language))
    return sorted(scored[:limit], key=lambda sentence: sentence.start_ms)


def support(claim: str, sentence: Sentence, among: Sequence[Sentence], language: str) -> float:
    """From 0 to 1, how much of a claim's words a sentence has; rare ones among them count more."""
    said = set(stems(sentence.text, language))
    frequency = Counter(term for other in among for term in set(stems(other.text, language)))
    total = shared = 0.0
    for wanted in map(any_stem, content_words(claim)):
        weight = math.log1p(len(among) / (1 + max(frequency[stem] for stem in wanted)))
        total += weight
        if wanted & said:
            shared += weight
    return shared / total if total else 0.0


def _quoted(quote: str, sentences: Sequence[Sentence]) -> Sentence | None:
    wanted = utils.default_process(quote)
    if not tokens(quote):
        return None
    best = max(
        (
            (fuzz.partial_ratio(wanted, utils.default_process(sentence.text)), sentence)
            for sentence in sentences
        ),
        key=lambda pair: pair[0],
        default=(0.0, None),
    )
    return best[1] if best[0] >= MIN_QUOTE_RATIO else None
