"""From candidates to an order, and whether the best of them answers at all; pure."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import fmean, pstdev

from talker.chunks import Candidate

SPARSE_SHARE = 0.3
"""BM25's weight beside the cosine's 1, both standardised over the candidates."""

MIN_COSINE = 0.82
"""Below it no passage of any question in the evaluation set held an answer (e5's cosines)."""


def blend(candidates: Sequence[Candidate]) -> list[tuple[Candidate, float]]:
    """Candidates with their scores, best first.

    A candidate missing from one list gets that list's lowest score: it was no better than it.
    """
    dense = _without_language_bias(candidates, _filled([c.dense for c in candidates]))
    sparse = _filled([c.sparse for c in candidates])
    scores = [
        d + SPARSE_SHARE * s
        for d, s in zip(_standardised(dense), _standardised(sparse), strict=True)
    ]
    return sorted(zip(candidates, scores, strict=True), key=lambda pair: -pair[1])


def answers_question(cosines: Sequence[float]) -> bool:
    """Whether the best passages' raw cosines are near enough for an answer to be among them."""
    return max(cosines, default=0.0) >= MIN_COSINE


def _filled(scores: Sequence[float | None]) -> list[float]:
    lowest = min((score for score in scores if score is not None), default=0.0)
    return [lowest if score is None else score for score in scores]


def _without_language_bias(candidates: Sequence[Candidate], scores: Sequence[float]) -> list[float]:
    """Cosines minus their language's mean: e5 puts texts of the question's language nearer."""
    of_language: defaultdict[str, list[float]] = defaultdict(list)
    for candidate, score in zip(candidates, scores, strict=True):
        of_language[candidate.chunk.language].append(score)
    mean: Callable[[str], float] = {k: fmean(v) for k, v in of_language.items()}.__getitem__
    return [s - mean(c.chunk.language) for c, s in zip(candidates, scores, strict=True)]


def _standardised(scores: Sequence[float]) -> list[float]:
    if not scores:
        return []
    mean, spread = fmean(scores), pstdev(scores)
    return [(score - mean) / spread if spread else 0.0 for score in scores]
