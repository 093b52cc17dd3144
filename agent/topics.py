"""Where the topic of a talk changes, and what each stretch of it is about, by its words alone."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

NEIGHBOURS = 10
"""Passages on each side of a place whose words are compared: some five minutes of speech."""

TITLE_WORDS = 3


def stretches(
    stems: Sequence[Sequence[str]], sizes: Sequence[int], weight: Mapping[str, float], count: int
) -> list[range]:
    """The passages' places in at most `count` stretches, cut where the words change most.

    As TextTiling does it; no stretch is much shorter than half of an even one.
    """
    ends = list(accumulate(sizes))
    least = ends[-1] / (2 * count)
    cuts: list[int] = []
    changes = _changes(stems, weight)
    for place in sorted(changes, key=lambda place: changes[place], reverse=True):
        if len(cuts) == count - 1:
            break
        bounds = [0, *cuts, len(stems)]
        if all(abs(_before(ends, place) - _before(ends, bound)) >= least for bound in bounds):
            cuts.append(place)
    return [range(left, right) for left, right in pairwise([0, *sorted(cuts), len(stems)])]


def title(stems: Sequence[str], words: Mapping[str, str], weight: Mapping[str, float]) -> str:
    """The words that are most a stretch's own, as they are mostly written."""
    said = Counter(stems)
    # What was said once is chance; in a very short stretch there is nothing else.
    often = {one: count for one, count in said.items() if count > 1} or said
    named = [one for one in often if not one[0].isnumeric()] or list(often)
    best = sorted(named, key=lambda one: (-said[one] * weight[one] ** 2, one))
    return ", ".join(words[one] for one in best[:TITLE_WORDS])


def _before(ends: Sequence[int], place: int) -> int:
    return ends[place - 1] if place else 0


def _changes(stems: Sequence[Sequence[str]], weight: Mapping[str, float]) -> dict[int, float]:
    """By place, how much less alike its two sides are than those of the places around it."""
    counts = [Counter(said) for said in stems]
    alike = {
        place: _cosine(
            sum(counts[max(0, place - NEIGHBOURS) : place], Counter()),
            sum(counts[place : place + NEIGHBOURS], Counter()),
            weight,
        )
        for place in range(1, len(stems))
    }
    changes = {}
    for place, here in alike.items():
        around = range(place - NEIGHBOURS, place + NEIGHBOURS + 1)
        near = [alike[other] for other in around if other in alike]
        changes[place] = sum(near) / len(near) - here
    return changes


def _cosine(left: Counter[str], right: Counter[str], weight: Mapping[str, float]) -> float:
    def weighed(counts: Counter[str]) -> dict[str, float]:
        return {one: math.log1p(count) * weight[one] for one, count in counts.items()}

    one, other = weighed(left), weighed(right)
    lengths = math.hypot(*one.values()) * math.hypot(*other.values())
    shared = sum(value * other[stem] for stem, value in one.items() if stem in other)
    return shared / lengths if lengths else 0.0
