"""Passages that stand for whole videos: spread over each, and each near what it is about; pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

from talker.points import IndexedChunk
from talker.text import content_words, stems

SAID_ALREADY = 0.3
"""What a chunk's likeness to those chosen before it takes from its likeness to the whole."""

OFF_TOPIC = 0.5
"""A chunk less than half as like the whole as the middle one is an advertisement, or thanks."""

TELLING_WORDS = 12

Vector = Mapping[str, float]


def spread(chunks: Sequence[IndexedChunk], count: int) -> list[IndexedChunk]:
    """About `count` chunks that stand for the videos, one of each at least, in the videos' order.

    `chunks` are whole transcripts, each in order. A longer video gets more of them. Each video is
    divided into so many equal parts, and of each part the chunk is taken that is most like the
    whole video and least like those taken before, unless none there is like it.
    """
    videos: defaultdict[str, list[IndexedChunk]] = defaultdict(list)
    for chunk in chunks:
        videos[str(chunk.video_id)].append(chunk)
    shares = _shares([len(whole) for whole in videos.values()], count)
    return [
        chosen
        for whole, share in zip(videos.values(), shares, strict=True)
        for chosen in _of_video(whole, share)
    ]


def telling_words(chunks: Sequence[IndexedChunk]) -> str:
    """The words that are said most often in all of the chunks."""
    counts: Counter[str] = Counter()
    for chunk in chunks:
        counts.update(word for word in content_words(chunk.text) if not word.isnumeric())
    return " ".join(word for word, _ in counts.most_common(TELLING_WORDS))


def _shares(lengths: Sequence[int], count: int) -> list[int]:
    """How many chunks each video gives: by its length, one at least, and no more than it has."""
    whole = sum(lengths)
    return [min(length, max(1, round(count * length / whole))) for length in lengths]


def _of_video(whole: Sequence[IndexedChunk], count: int) -> list[IndexedChunk]:
    vectors = _vectors(whole)
    centre: Counter[str] = Counter()
    for vector in vectors:
        centre.update(vector)
    length = math.sqrt(sum(weight * weight for weight in centre.values())) or 1.0
    likeness = [
        sum(weight * centre[stem] for stem, weight in vector.items()) / length for vector in vectors
    ]
    chosen: list[int] = []
    for part in range(count):
        places = range(part * len(whole) // count, (part + 1) * len(whole) // count)
        near = {
            place: max((_dot(vectors[place], vectors[one]) for one in chosen), default=0.0)
            for place in places
        }
        chosen.append(max(places, key=lambda at: likeness[at] - SAID_ALREADY * near[at]))
    least = OFF_TOPIC * median(likeness)
    return [whole[place] for place in chosen if likeness[place] >= least]


def _vectors(whole: Sequence[IndexedChunk]) -> list[Vector]:
    """Unit vectors of the chunks' stems; a stem that every chunk has counts nothing."""
    counts = [Counter(stems(chunk.text, chunk.language)) for chunk in whole]
    having = Counter(stem for one in counts for stem in one)
    found: list[Vector] = []
    for one in counts:
        vector = {
            stem: (1 + math.log(count)) * math.log((1 + len(whole)) / having[stem])
            for stem, count in one.items()
        }
        length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
        found.append({stem: weight / length for stem, weight in vector.items()})
    return found


def _dot(left: Vector, right: Vector) -> float:
    return sum(weight * right.get(stem, 0.0) for stem, weight in left.items())
