"""A library to files and back: what is kept, what is refused, and what a second run finds."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from ingestion import library
from ingestion.archive_export import export_library
from ingestion.archive_files import Outcome, milliseconds, seconds
from ingestion.archive_import import import_library
from ingestion.captions import parse_file
from ingestion.job import load
from talker.embedded import ServerUrls
from talker.errors import BadRequest
from talker.models import (
    LOCAL_USER_EMAIL,
    Chunk,
    Collection,
    CollectionVideo,
    IngestionJob,
    LibraryEntry,
    Segment,
    Transcript,
    User,
    Video,
)
from talker.resources import Resources, open_resources
from talker.settings import Settings
from tests.conftest import new_database
from tests.ingestion.conftest import AtSupadata, count, file, links, somebody_else
from tests.ingestion.test_command_line import ingest
from tests.make import BREAD, OCEAN, captions

ID, OTHER_ID, LINK_ID = "dQw4w9WgXcQ", "DQW4w9WgXcQ", "-bcdefghij_"
WHEN = datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=UTC)
ODD_TEXTS = [
    "  two  spaces ",
    "a\nline",
    "„Zażółć gęślą jaźń” 🐙\u2028",
    "[Music]",
    "السلام",
    "&amp;",
]
ODD_TIMES_MS = [1, 999, 1_234_567, 4_503_599, 16_777_217, 86_399_999, 999_999_999]


class Told:
    """A meter that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str | None]] = []
        self.last = (0, 0)

    def at(self, done: int, of: int) -> None:
        self.last = (done, of)

    def tell(self, word: str, what: str, detail: str | None = None) -> None:
        self.told.append((word, what, detail))

    def end(self, sentence: str, **counts: int) -> None:
        """Never told: this is the commands' part."""


@pytest.fixture
async def elsewhere(embedded: ServerUrls, with_supadata: Settings) -> AsyncIterator[Resources]:
    """Another server, with nothing in its library."""
    with new_database(embedded) as url:
        async with open_resources(with_supadata.model_copy(update={"database_url": url})) as opened:
            yield opened


async def local_user(resources: Resources) -> User:
    async with resources.sessions() as session:
        return (await session.scalars(select(User).filter_by(email=LOCAL_USER_EMAIL))).one()


def segments(texts: Sequence[str], times_ms: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {"position": n, "start_ms": ms, "duration_ms": 1 + ms % 4567, "text": text}
        for n, (text, ms) in enumerate(zip(texts, times_ms, strict=True))
    ]


async def shared_video(
    resources: Resources, user: User, youtube_id: str, **spoken: list[dict[str, Any]]
) -> UUID:
    """A ready video with everything that can be known of one, and a transcript a language."""
    async with resources.sessions.begin() as session:
        video = Video(
            youtube_id=youtube_id,
            title=f"The deep “ocean” {youtube_id}",
            channel="Ada",
            language=next(iter(spoken)),
            duration_ms=1_234_567,
            published_at=WHEN,
            described_at=WHEN,
            chapters=[{"start_ms": 0, "title": "One"}, {"start_ms": 61_001, "title": "Two"}],
            available=[{"language": "en", "kind": "manual"}, {"language": "de", "kind": None}],
            status="ready",
        )
        session.add(video)
        await session.flush()
        session.add(LibraryEntry(user_id=user.id, video_id=video.id, added_at=WHEN))
        for language, lines in spoken.items():
            transcript = Transcript(
                video_id=video.id, language=language, kind="automatic", provider="supadata"
            )
            session.add(transcript)
            await session.flush()
            session.add_all(Segment(transcript_id=transcript.id, **line) for line in lines)
    return video.id


async def collection(
    resources: Resources, user: User, name: str, video_ids: Sequence[UUID], **about: Any
) -> UUID:
    async with resources.sessions.begin() as session:
        made = Collection(user_id=user.id, name=name, **about)
        session.add(made)
        await session.flush()
        session.add_all(
            CollectionVideo(collection_id=made.id, video_id=video_id, position=position)
            for position, video_id in enumerate(video_ids)
        )
    return made.id


async def a_library(resources: Resources, user: User) -> None:
    """Two shared videos, one of them in two languages, a file, a link, and two collections."""
    spoken = segments(OCEAN, range(0, 8 * 4001, 4001))
    odd = segments(ODD_TEXTS, ODD_TIMES_MS[: len(ODD_TEXTS)])
    first = await shared_video(resources, user, ID, en=spoken, pl=odd)
    second = await shared_video(resources, user, OTHER_ID, pl=odd)
    own = await file(resources, user, captions(BREAD, title="Bread", youtube_id=ID, line_s=1.2345))
    assert own.video_id is not None
    [link] = await links(resources, user, LINK_ID)
    assert link.video_id is not None
    await collection(
        resources,
        user,
        "Talks",
        [second, own.video_id, first],
        source_kind="playlist",
        source_id="PLx",
        language="pl,en",
        subscribed=True,
    )
    await collection(resources, user, "Mine", [link.video_id])


def contents(folder: Path) -> dict[str, bytes]:
    """What an export says of videos and collections, by file."""
    every = [folder / "collections.json", *sorted((folder / "videos").iterdir())]
    return {path.name: path.read_bytes() for path in every}


async def export(resources: Resources, user: User, folder: Path) -> tuple[Outcome, Told]:
    meter = Told()
    return await export_library(resources, user, folder, meter), meter


async def bring_in(resources: Resources, folder: Path) -> tuple[Outcome, Told, Sequence[UUID]]:
    meter = Told()
    done, jobs = await import_library(resources, await local_user(resources), folder, meter)
    return done, meter, jobs


async def finish(resources: Resources, jobs: Sequence[UUID]) -> None:
    """Do the jobs that have a transcript, without any provider."""
    for job_id in jobs:
        async with resources.sessions() as session:
            job = await session.get_one(IngestionJob, job_id)
        if job.transcript_id is not None:
            await load(job_id, resources=resources, providers=[])


def test_every_millisecond_survives_being_written_in_seconds() -> None:
    sample = [*range(20_000), *range(0, 1_000_000_001, 99_991), *ODD_TIMES_MS]
    assert all(milliseconds(json.loads(json.dumps(seconds(ms)))) == ms for ms in sample)


async def test_a_library_that_moves_to_another_server_is_the_same_there(
    resources: Resources, user: User, elsewhere: Resources, supadata: AtSupadata, tmp_path: Path
) -> None:
    await a_library(resources, user)
    done, meter = await export(resources, user, tmp_path / "a")
    assert (done, meter.last) == (Outcome(videos=4, collections=2, failed=0), (4, 4))
    done, meter, jobs = await bring_in(elsewhere, tmp_path / "a")
    assert (done, meter.told) == (Outcome(videos=4, collections=2, failed=0), [])
    assert len(jobs) == 4
    await finish(elsewhere, jobs)
    assert supadata.server.requests == []
    async with elsewhere.sessions() as session:
        videos = (await session.scalars(select(Video))).all()
        collections = (await session.scalars(select(Collection))).all()
    assert sorted(video.status for video in videos) == ["queued", "ready", "ready", "ready"]
    assert {video.youtube_id: video.owner_id for video in videos if not video.owner_id} == {
        ID: None,
        OTHER_ID: None,
        LINK_ID: None,
    }
    subscribed = {one.name: (one.subscribed, one.source_id, one.language) for one in collections}
    assert subscribed == {"Talks": (True, "PLx", "pl,en"), "Mine": (False, None, None)}
    for video in videos:
        chunks = await elsewhere.chunks.count(video.id)
        assert (chunks > 0) is (video.status == "ready")
    await export(elsewhere, await local_user(elsewhere), tmp_path / "b")
    assert contents(tmp_path / "b") == contents(tmp_path / "a")


async def test_each_language_of_an_imported_video_is_searched(
    resources: Resources, user: User, elsewhere: Resources, tmp_path: Path
) -> None:
    polish = ["Piekarz piecze chleb w gorącym piecu.", "Ciasto rośnie całą noc w chłodzie."]
    await shared_video(
        resources,
        user,
        ID,
        en=segments(OCEAN[:2], [0, 5000]),
        pl=segments(polish, [0, 5000]),
    )
    await export(resources, user, tmp_path / "a")
    _, _, jobs = await bring_in(elsewhere, tmp_path / "a")
    await finish(elsewhere, jobs)
    async with elsewhere.sessions() as session:
        [video] = (await session.scalars(select(Video))).all()
    found = await elsewhere.chunks.candidates("kto piecze chleb", [video.id])
    assert {candidate.chunk.language for candidate in found} == {"en", "pl"}
    assert video.status == "ready"


async def test_an_exported_video_is_also_a_caption_file(
    resources: Resources, user: User, tmp_path: Path
) -> None:
    await shared_video(resources, user, ID, en=segments(OCEAN, range(7, 8 * 1234, 1234)))
    await export(resources, user, tmp_path / "a")
    [path] = (tmp_path / "a" / "videos").iterdir()
    parsed = parse_file(path.name, path.read_bytes())
    assert (parsed.youtube_id, parsed.language, parsed.channel) == (ID, "en", "Ada")
    assert [segment.start_ms for segment in parsed.segments] == list(range(7, 8 * 1234, 1234))
    assert [segment.text for segment in parsed.segments] == OCEAN


async def test_names_differ_where_case_does_not_count(
    resources: Resources, user: User, tmp_path: Path
) -> None:
    await a_library(resources, user)
    await export(resources, user, tmp_path / "a")
    names = [path.name.lower() for path in (tmp_path / "a" / "videos").iterdir()]
    assert len(set(names)) == 4
    assert not any(name.startswith("-") for name in names)


async def test_an_export_over_an_older_one_keeps_what_is_the_same(
    resources: Resources, user: User, tmp_path: Path
) -> None:
    await a_library(resources, user)
    folder = tmp_path / "a"
    await export(resources, user, folder)
    written = {path: path.stat().st_mtime_ns for path in (folder / "videos").iterdir()}
    (folder / "videos" / "yt-killed.json.partial").write_text("half")
    async with resources.sessions.begin() as session:
        video = (await session.scalars(select(Video).filter_by(youtube_id=OTHER_ID))).one()
        await library.remove(session, resources.chunks, user, video.id)
    done, meter = await export(resources, user, folder)
    assert done == Outcome(videos=3, collections=2, failed=0)
    [(word, gone, _)] = meter.told
    assert (word, gone.startswith(f"yt-{OTHER_ID}.")) == ("removed", True)
    assert [path.stem for path in (folder / "removed").iterdir()] == [gone]
    left = {path: path.stat().st_mtime_ns for path in (folder / "videos").iterdir()}
    assert left == {path: at for path, at in written.items() if path.stem != gone}


async def test_a_folder_with_anything_else_in_it_is_left_alone(
    resources: Resources, user: User, tmp_path: Path
) -> None:
    (tmp_path / "letters.txt").write_text("Dear Ada")
    with pytest.raises(BadRequest, match=r"no exported library: it has no library\.json"):
        await export(resources, user, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]
    await export(resources, user, tmp_path / "mine")
    with pytest.raises(BadRequest, match="holds the library of local@localhost"):
        await export(resources, await somebody_else(resources), tmp_path / "mine")
    with pytest.raises(BadRequest, match="no exported library"):
        await bring_in(resources, tmp_path)


async def test_nobody_exports_what_others_have(
    resources: Resources, user: User, tmp_path: Path
) -> None:
    await a_library(resources, user)
    other = await somebody_else(resources)
    [link] = await links(resources, other, "ZZZZZZZZZZZ")
    done, _ = await export(resources, other, tmp_path / "a")
    assert (done.videos, done.collections) == (1, 0)
    [path] = (tmp_path / "a" / "videos").iterdir()
    assert json.loads(path.read_bytes())["video_id"] == link.source


AGAIN = """[{"language": "en", "kind": "manual", "provider": "file",
    "segments": [{"start_s": 0, "duration_s": 1, "text": "Hello"}]}]"""


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ("\n}\n", "", "EOF while parsing"),
        ("4.001", "-1", "segments[1].start_s: Input should be greater than or equal to 0"),
        ("4.001", "Infinity", "segments[1].start_s: Input should be a finite number"),
        ("4.001", '"4.001"', "segments[1].start_s: Input should be a valid number"),
        ("Today", "\\u0000", "segments[0].text: Value error, holds a NUL character"),
        ("Today", "\\ud800", "unexpected end of hex escape"),
        ('"kind": "automatic"', '"kind": "invented"', "kind: Input should be 'manual'"),
        ('"video_id"', '"owner_id": "me", "video_id"', "owner_id: Extra inputs"),
        (f'"{ID}"', '"../../etc/pw"', "video_id: String should match pattern"),
        (f'"{ID}"', "null", "names neither a YouTube video nor an uploaded file"),
        ("[]\n}", AGAIN + "}", "two transcripts in one language"),
        ("[]\n}", "[" * 100_000, "recursion limit"),
    ],
)
async def test_a_broken_file_says_what_is_wrong_and_the_others_go_on(
    resources: Resources,
    user: User,
    elsewhere: Resources,
    tmp_path: Path,
    right: str,
    wrong: str,
    why: str,
) -> None:
    spoken = segments(OCEAN, range(0, 8 * 4001, 4001))
    first = await shared_video(resources, user, ID, en=spoken)
    second = await shared_video(resources, user, OTHER_ID, en=spoken)
    await collection(resources, user, "Talks", [first, second])
    await export(resources, user, tmp_path / "a")
    [path] = (tmp_path / "a" / "videos").glob(f"yt-{ID}*")
    path.write_text(path.read_text().replace(right, wrong))
    done, meter, jobs = await bring_in(elsewhere, tmp_path / "a")
    assert done == Outcome(videos=1, collections=1, failed=2)
    [(_, what, detail), (_, where, _)] = meter.told
    assert (what, where) == (f"videos/{path.name}", "collection Talks")
    assert why in (detail or "")
    assert len(jobs) == await count(elsewhere, Video) == await count(elsewhere, Transcript) == 1
    assert await count(elsewhere, CollectionVideo) == 1


@pytest.mark.parametrize(
    ("quota", "fit"),
    [
        ({"quota_videos": 2}, 2),
        ({"quota_hours": 0.4}, 3),  # of the two of 20 minutes there is room for one
        ({"quota_storage_mb": 0.000_1}, 3),  # all but the file
    ],
)
async def test_what_is_imported_fits_into_the_quotas_and_what_is_there_takes_none(
    resources: Resources,
    user: User,
    elsewhere: Resources,
    tmp_path: Path,
    quota: dict[str, float],
    fit: int,
) -> None:
    await a_library(resources, user)
    await export(resources, user, tmp_path / "a")
    settings = elsewhere.settings.model_copy(update=quota)
    for _ in range(2):
        done, meter, _ = await bring_in(replace(elsewhere, settings=settings), tmp_path / "a")
        assert done.videos == fit
        full = [(what, detail) for _, what, detail in meter.told if "no room" in (detail or "")]
        assert len(full) == 4 - fit
        assert await count(elsewhere, LibraryEntry) == await count(elsewhere, Video) == fit
    done, meter, _ = await bring_in(elsewhere, tmp_path / "a")
    assert (done.videos, meter.told) == (4, [])


async def test_an_unfinished_export_says_so_and_gives_what_it_has(
    resources: Resources, user: User, elsewhere: Resources, tmp_path: Path
) -> None:
    await a_library(resources, user)
    await export(resources, user, tmp_path / "a")
    about = tmp_path / "a" / "library.json"
    about.write_text(about.read_text().replace('"complete": true', '"complete": false'))
    done, meter, _ = await bring_in(elsewhere, tmp_path / "a")
    assert (done.videos, done.failed, meter.told[0][1]) == (4, 1, "library.json")


async def test_importing_twice_ends_as_once(
    resources: Resources, user: User, elsewhere: Resources, tmp_path: Path
) -> None:
    await a_library(resources, user)
    await export(resources, user, tmp_path / "a")
    _, _, jobs = await bring_in(elsewhere, tmp_path / "a")
    tables = (Video, Transcript, Segment, LibraryEntry, IngestionJob, CollectionVideo, Collection)
    before = [await count(elsewhere, table) for table in tables]
    _, meter, again = await bring_in(elsewhere, tmp_path / "a")
    assert (sorted(again), meter.told) == (sorted(jobs), [])
    await finish(elsewhere, jobs)
    _, _, left = await bring_in(elsewhere, tmp_path / "a")
    assert len(left) == 1  # the link's, which no provider has been asked for
    assert [await count(elsewhere, table) for table in tables] == before


async def test_a_known_video_is_entered_and_left_as_it_is(
    resources: Resources, user: User, elsewhere: Resources, tmp_path: Path
) -> None:
    await shared_video(resources, user, ID, en=segments(OCEAN, range(0, 800, 100)))
    await export(resources, user, tmp_path / "a")
    other = await somebody_else(elsewhere)
    known = await shared_video(elsewhere, other, ID, de=segments(["Guten Tag."], [500]))
    _, _, jobs = await bring_in(elsewhere, tmp_path / "a")
    assert jobs == []
    async with elsewhere.sessions() as session:
        entries = (await session.scalars(select(LibraryEntry))).all()
        [transcript] = (await session.scalars(select(Transcript))).all()
    assert {(entry.user_id, entry.video_id) for entry in entries} == {
        (other.id, known),
        ((await local_user(elsewhere)).id, known),
    }
    assert transcript.language == "de"


async def test_a_video_that_waits_for_its_captions_gets_them_from_the_files(
    resources: Resources, user: User, elsewhere: Resources, supadata: AtSupadata, tmp_path: Path
) -> None:
    await shared_video(resources, user, ID, en=segments(OCEAN, range(0, 800, 100)))
    await export(resources, user, tmp_path / "a")
    [added] = await links(elsewhere, await local_user(elsewhere), ID)
    _, _, [job_id] = await bring_in(elsewhere, tmp_path / "a")
    assert job_id == added.job_id
    await finish(elsewhere, [job_id])
    async with elsewhere.sessions() as session:
        video = await session.get_one(Video, added.video_id)
    assert (video.status, video.channel) == ("ready", "Ada")
    assert supadata.server.requests == []


async def test_a_collection_is_extended_in_order_and_stays_subscribed(
    resources: Resources, user: User, elsewhere: Resources, tmp_path: Path
) -> None:
    spoken = segments(OCEAN[:1], [0])
    ids = [await shared_video(resources, user, f"{n}" * 11, en=spoken) for n in range(4)]
    about = {"source_kind": "channel", "source_id": "UCx", "subscribed": True}
    await collection(resources, user, "Ada's", ids, **about)
    await collection(resources, user, "Same name", ids[:1], source_kind="playlist", source_id="PL1")
    await export(resources, user, tmp_path / "a")
    owner = await local_user(elsewhere)
    there = [await shared_video(elsewhere, owner, f"{n}" * 11, en=spoken) for n in (9, 2)]
    await collection(elsewhere, owner, "From Ada", there, **{**about, "subscribed": False})
    await collection(elsewhere, owner, "Same name", [], source_kind="playlist", source_id="PL2")
    for _ in range(2):
        await bring_in(elsewhere, tmp_path / "a")
        async with elsewhere.sessions() as session:
            rows = await session.execute(
                select(Collection.name, Collection.subscribed, Video.youtube_id)
                .outerjoin(CollectionVideo, CollectionVideo.collection_id == Collection.id)
                .outerjoin(Video, Video.id == CollectionVideo.video_id)
                .order_by(Collection.name, CollectionVideo.position)
            )
        assert [(name, subscribed, (id_ or "-")[0]) for name, subscribed, id_ in rows] == [
            ("From Ada", True, "9"),
            ("From Ada", True, "2"),
            ("From Ada", True, "0"),
            ("From Ada", True, "1"),
            ("From Ada", True, "3"),
            ("Same name", False, "-"),
            ("Same name (2)", False, "0"),
        ]
    assert await count(elsewhere, Chunk) == 0


async def test_the_commands_move_a_library_and_say_what_failed(
    resources: Resources, user: User, elsewhere: Resources, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    await file(resources, user, captions(OCEAN, title="The ocean"))
    code, out, err = await ingest(resources, "export", folder)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "exported 1 of 1 videos",
        "1 videos and 0 collections exported, 0 failed",
    ]
    (folder / "videos" / "broken.json").write_text("{}")
    code, out, _ = await ingest(elsewhere, "import", folder, "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [event["what"] for event in events if event["event"] == "told"] == ["videos/broken.json"]
    totals = [event for event in events if event["event"] == "totals"]
    assert totals == [
        {"event": "totals", "videos": 1, "collections": 0, "failed": 1},
        {"event": "totals", "ready": 1, "failed": 0, "left": 0},
    ]
    (folder / "videos" / "broken.json").unlink()
    code, out, _ = await ingest(elsewhere, "import", folder)
    assert (code, out.splitlines()[-1]) == (0, "1 videos and 0 collections imported, 0 failed")
    code, _, err = await ingest(elsewhere, "import", tmp_path / "nowhere")
    assert (code, "no exported library" in err) == (2, True)
