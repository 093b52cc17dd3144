"""Which videos a summary is of, and what is said when that is none or not plain."""

import re
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from agent.library import VideoName, newest_first
from agent.phrases import phrase
from agent.state import AgentState, scope
from talker.errors import NothingToSummarize, VideoNotReady
from talker.text import any_stem, content_words

MAX_VIDEOS = 20
"""More are not summarised together: neither would a reader see what is left of each."""

SUGGESTED = 5

ALL_OF_THEM = re.compile(
    r"\b(all|every|each|whole library|everything|wszystk\w+|każd\w+|tod[oa]s|cada|alle|jede[nrs]?"
    r"|tous|toutes|chaque|tutti|tutte|ogni)\b|全部|すべて|全て|सभी",
    re.IGNORECASE,
)
"""Words by which the whole library is meant where no video is named."""


async def videos_to_summarize(
    session: AsyncSession, user_id: UUID, state: AgentState
) -> tuple[list[VideoName], str]:
    """The videos in the order in which they were named, and what is to be said before.

    Where nothing was named: the library's only video, or the only one that was just talked
    about. Raises NothingToSummarize, with words that ask back where it is not plain.
    """
    wanted = scope(state)
    rows = await newest_first(session, user_id, wanted)
    if not rows:
        nothing = wanted is None or not await newest_first(session, user_id, None)
        raise NothingToSummarize(
            phrase("empty_library" if nothing else "empty_scope", state["plan"]["language"])
        )
    if wanted is None and len(rows) > 1:
        rows = _meant(state, rows)
    if wanted is not None:
        rows = sorted(rows, key=lambda row: wanted.index(row[0].id))
    ready = [video for video, status in rows if status == "ready"]
    if not ready:
        raise VideoNotReady(rows[0][0].title, rows[0][1])
    unready = [video.title for video, status in rows if status != "ready"]
    return ready[:MAX_VIDEOS], _left_out(ready, unready)


def _meant(
    state: AgentState, rows: Sequence[tuple[VideoName, str]]
) -> Sequence[tuple[VideoName, str]]:
    """Of the whole library, the videos that are meant. Raises NothingToSummarize to ask back."""
    question = state["plan"]["question"]
    if ALL_OF_THEM.search(question):
        return rows
    talked_about = {citation["video_id"] for citation in state.get("citations") or []}
    last = [row for row in rows if str(row[0].id) in talked_about]
    if len(last) == 1:
        return last
    ready = [video for video, status in rows if status == "ready"]
    if len(ready) == 1:
        return [row for row in rows if row[0] == ready[0]]
    words = {form for word in content_words(question) for form in any_stem(word)}
    nearest = sorted(ready, key=lambda video: -len(words.intersection(_title_forms(video))))
    titles = "\n".join(f"- {video.title}" for video in nearest[:SUGGESTED])
    more = f"\n- and {len(ready) - SUGGESTED} more" if len(ready) > SUGGESTED else ""
    raise NothingToSummarize(
        f"Which video do you mean? Name one by its title, or say “all of them”. You have:\n\n"
        f"{titles}{more}"
    )


def _title_forms(video: VideoName) -> set[str]:
    return {form for word in content_words(video.title) for form in any_stem(word)}


def _left_out(ready: Sequence[VideoName], unready: Sequence[str]) -> str:
    """What the reader must know of videos that are not in the summary."""
    told = []
    if len(ready) > MAX_VIDEOS:
        told.append(
            f"This covers the first {MAX_VIDEOS} of {len(ready)} videos, as more are not "
            "summarised together; name some of the others for a summary of them."
        )
    if unready:
        titles = ", ".join(f"“{title}”" for title in unready[:SUGGESTED])
        others = len(unready) - SUGGESTED
        more = f" and {others} more" if others > 0 else ""
        told.append(f"Not loaded, and so not in this: {titles}{more}.")
    return " ".join(told)
