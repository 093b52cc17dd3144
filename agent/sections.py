"""A whole transcript in numbered passages, and these in parts that a model reads at once; pure."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from agent.state import Passage, Said, Span
from agent.transcripts import Transcript
from talker.sentences import Sentence, joined
from talker.text import token_estimate

PASSAGE_TOKENS = 90
"""A few sentences: near enough to a claim to prove it by, and few enough numbers to write."""

PART_TOKENS = 5_000
"""Half an hour of speech. What has no more is summarised in one call."""

CHAPTER_PULL = 3
"""A part ends at a chapter that begins within a third of a part from where it would be even."""


@dataclass(frozen=True, slots=True)
class ChapterPassages:
    """A chapter of the video's own; `first` and `last` are its passages' numbers."""

    start_ms: int
    title: str
    first: int
    last: int


def passages_of(transcript: Transcript, span: Span | None = None) -> list[Passage]:
    """Every sentence of the transcript, or of a span of it, in passages numbered from 1.

    None runs over a chapter's start.
    """
    return [
        _passage(n, transcript, said)
        for n, said in enumerate(_groups(transcript, _within(transcript.sentences, span)), 1)
    ]


def chapters_of(transcript: Transcript, passages: Sequence[Passage]) -> list[ChapterPassages]:
    """The video's own chapters in which something is said, in order."""
    starts = [chapter.start_ms for chapter in transcript.chapters]
    found: dict[int, ChapterPassages] = {}
    for passage in passages:
        number = _chapter_at(starts, passage["sentences"][0])
        if number < 0:
            continue
        chapter = transcript.chapters[number]
        first = found[number].first if number in found else passage["n"]
        found[number] = ChapterPassages(chapter.start_ms, chapter.title, first, passage["n"])
    return list(found.values())


def parts_of(
    passages: Sequence[Passage], chapters: Sequence[ChapterPassages]
) -> list[Sequence[Passage]]:
    """The passages in as few parts as are read with care, of about one size, ended at chapters."""
    ends = list(accumulate(token_estimate(passage["text"]) for passage in passages))
    count = -(-ends[-1] // PART_TOKENS) if ends else 0
    size = ends[-1] / count if count else 0.0
    starts = sorted({chapter.first - 1 for chapter in chapters if chapter.first > 1})
    cuts = {_cut(number * size, size, ends, starts) for number in range(1, count)}
    bounds = sorted({0, *cuts, len(passages)})
    return [passages[left:right] for left, right in pairwise(bounds)]


def _cut(at_tokens: float, size: float, ends: Sequence[int], starts: Sequence[int]) -> int:
    """Before which passage to cut so many tokens in: at a chapter's start where one is near."""
    if starts:
        nearest = min(starts, key=lambda start: abs(ends[start - 1] - at_tokens))
        if abs(ends[nearest - 1] - at_tokens) * CHAPTER_PULL <= size:
            return nearest
    return min(bisect_left(ends, at_tokens) + 1, len(ends))


def _within(sentences: Sequence[Sentence], span: Span | None) -> Sequence[Sentence]:
    if span is None:
        return sentences
    end_ms = span["end_ms"]
    return [
        sentence
        for sentence in sentences
        if _middle_ms(sentence) >= span["start_ms"]
        and (end_ms is None or _middle_ms(sentence) < end_ms)
    ]


def _groups(transcript: Transcript, sentences: Sequence[Sentence]) -> Iterator[list[Sentence]]:
    starts = [chapter.start_ms for chapter in transcript.chapters]
    group: list[Sentence] = []
    tokens = 0
    for sentence in sentences:
        more = token_estimate(sentence.text)
        full = tokens + more > PASSAGE_TOKENS
        if group and (full or _chapter_at(starts, sentence) != _chapter_at(starts, group[0])):
            yield group
            group, tokens = [], 0
        group.append(sentence)
        tokens += more
    if group:
        yield group


def _chapter_at(starts: Sequence[int], sentence: Sentence | Said) -> int:
    """The number of the chapter that most of a sentence is in; -1 before the first."""
    return bisect_left(starts, _middle_ms(sentence) + 1) - 1


def _middle_ms(sentence: Sentence | Said) -> int:
    if isinstance(sentence, Sentence):
        return (sentence.start_ms + sentence.end_ms) // 2
    return (sentence["start_ms"] + sentence["end_ms"]) // 2


def _passage(n: int, transcript: Transcript, sentences: Sequence[Sentence]) -> Passage:
    published_at = transcript.video.published_at
    said = [Said(start_ms=s.start_ms, end_ms=s.end_ms, text=s.text) for s in sentences]
    return Passage(
        n=n,
        chunk_id="",
        video_id=str(transcript.video.id),
        youtube_id=transcript.video.youtube_id,
        title=transcript.video.title,
        channel=transcript.video.channel,
        published_at=published_at.isoformat() if published_at else None,
        language=transcript.language,
        text=joined([sentence.text for sentence in sentences]),
        score=0.0,
        cosine=None,
        sentences=said,
        shown=said[0],
    )
