"""Finding the moment: the app's own search on real captions, beside plain methods in one index;
and citing it, in the same index.

Uses the evaluation corpus beside the checkout where it is at hand, else the sample talk with the
questions in `bench/sample.jsonl`.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from uuid import UUID

from sqlalchemy import select

from agent.ranking import answers_question
from agent.search import Passage, Search
from bench import citations
from bench.golden import Question, Span, means, read_questions
from bench.report import Row
from ingestion.add import add_file
from ingestion.batch import find_user
from ingestion.job import load
from ingestion.wishes import Added
from talker.models import LOCAL_USER_EMAIL, Video
from talker.resources import Resources, open_resources
from talker.settings import Settings

SECTION = "retrieval"
CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
SAMPLE = Path(__file__).parents[1] / "talker" / "sample" / "sample.json"
SAMPLE_QUESTIONS = Path(__file__).parent / "sample.jsonl"
PASSAGES = 20
SECONDS = "start error"
GOALS = {
    "recall@5": "above 0.794",
    "recall@300s": "above 0.821",
    "nDCG@10": "above 0.655",
    SECONDS: "at most 5.5",
}
"""The best plain method on the corpus, half its distance to the answer's start."""


async def run() -> list[Row]:
    questions, talks = questions_and_talks()
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        Path(folder).chmod(0o755)  # the embedded Postgres runs as somebody else when we are root
        async with open_resources(Settings(_env_file=None, data_dir=Path(folder))) as resources:
            names = await load_talks(resources, talks)
            rows = await _measure(resources, names, questions)
            return rows + await citations.measure(resources, names, questions)


def questions_and_talks() -> tuple[list[Question], list[bytes]]:
    """The questions, and the caption files that they are about."""
    files = sorted(CORPUS.glob("*.json"))
    questions = read_questions(CORPUS / "golden.jsonl" if files else SAMPLE_QUESTIONS)
    return questions, [file.read_bytes() for file in files] or [SAMPLE.read_bytes()]


async def our_spans(
    resources: Resources, names: dict[UUID, str], questions: Sequence[Question]
) -> dict[str, list[Span]]:
    """What the app's own search finds, by the question's text."""
    search = Search(resources.chunks, resources.sessions)
    return {
        one.text: [
            _span(names, passage)
            for passage in await search.passages(
                one.text, names.keys(), before=one.before, limit=PASSAGES
            )
        ]
        for one in questions
    }


async def load_talks(resources: Resources, talks: Sequence[bytes]) -> dict[UUID, str]:
    """Load the talks as uploads are; each video's name in the questions by its id."""
    user = await find_user(resources, LOCAL_USER_EMAIL)
    added: list[Added] = []
    async with resources.sessions.begin() as session:
        for number, talk in enumerate(talks):
            added.append(await add_file(session, user, f"{number}.json", talk, max_hours=12))
    for one in added:
        assert one.job_id is not None
        await load(one.job_id, resources=resources, providers=[])
    async with resources.sessions() as session:
        videos = (await session.scalars(select(Video))).all()
    assert all(video.status == "ready" for video in videos)
    return {video.id: video.youtube_id or "sample" for video in videos}


async def _measure(
    resources: Resources, names: dict[UUID, str], questions: Sequence[Question]
) -> list[Row]:
    search = Search(resources.chunks, resources.sessions)
    passages: dict[str, list[Passage]] = {}
    times_ms = []
    for one in questions:
        began = time.perf_counter()
        passages[one.text] = await search.passages(
            one.text, names.keys(), before=one.before, limit=PASSAGES
        )
        times_ms.append((time.perf_counter() - began) * 1000)
    ours = {text: [_span(names, passage) for passage in found] for text, found in passages.items()}
    dense, words = await _plain(resources, names, questions)
    return [
        *_rows("all", questions, ours, dense, words),
        *(
            row
            for kind in sorted({one.kind for one in questions if one.answers})
            for row in _rows(kind, [q for q in questions if q.kind == kind], ours, dense, words)[
                1:2
            ]
        ),
        *_refusals(questions, passages),
        Row(SECTION, "a question's passages, median", median(times_ms), "ms", goal="at most 60"),
    ]


async def _plain(
    resources: Resources, names: dict[UUID, str], questions: Sequence[Question]
) -> tuple[dict[str, list[Span]], dict[str, list[Span]]]:
    """The same chunks by cosine alone and by BM25 alone."""
    dense: dict[str, list[Span]] = {}
    words: dict[str, list[Span]] = {}
    for one in questions:
        asked = f"{one.before}\n{one.text}" if one.before else one.text
        found = await resources.chunks.candidates(asked, names.keys())
        for ranking, key in ((dense, "dense"), (words, "sparse")):
            chosen = [c for c in found if getattr(c, key) is not None]
            chosen.sort(key=lambda c: -getattr(c, key))
            ranking[one.text] = [
                Span(names[c.chunk.video_id], c.chunk.start_ms / 1000, c.chunk.end_ms / 1000)
                for c in chosen[:PASSAGES]
            ]
    return dense, words


def _span(names: dict[UUID, str], passage: Passage) -> Span:
    shown = passage.shown
    return Span(names[passage.video_id], shown.start_ms / 1000, shown.end_ms / 1000)


def _rows(
    kind: str,
    questions: Sequence[Question],
    ours: dict[str, list[Span]],
    dense: dict[str, list[Span]],
    words: dict[str, list[Span]],
) -> list[Row]:
    by_cosine, by_words = means(questions, dense), means(questions, words)
    label = "" if kind == "all" else f", {kind}"
    rows = []
    for measure, value in means(questions, ours).items():
        unit = "s" if measure == SECONDS else ""
        goal = GOALS.get(measure, "") if kind == "all" else ""
        name = f"{measure}{label}"
        rows.append(Row(SECTION, name, value, unit, by_cosine[measure], "the cosine alone", goal))
        if kind == "all":
            rows.append(Row(SECTION, name, value, unit, by_words[measure], "BM25 alone"))
    return rows


def _refusals(questions: Sequence[Question], passages: dict[str, list[Passage]]) -> list[Row]:
    """Shares of questions that are declined where no chat model reads the passages."""
    declined: dict[bool, list[bool]] = {True: [], False: []}
    for one in questions:
        cosines = [p.cosine for p in passages[one.text] if p.cosine is not None]
        declined[bool(one.answers)].append(not answers_question(cosines))
    named = {True: ("that have an answer", "at most 0.03"), False: ("that have none", "")}
    return [
        Row(SECTION, f"declined questions {of_whom}", fmean(declined[answerable]), goal=goal)
        for answerable, (of_whom, goal) in named.items()
        if declined[answerable]
    ]
