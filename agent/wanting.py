"""What is said instead of a step's work, where what the person named is not there."""

from collections.abc import Sequence
from typing import Literal

from agent.named import Named
from agent.phrases import phrase
from agent.state import Plan
from agent.titles import as_written, nearest

SHOWN = 3


def lacks_video(plan: Plan, named: Named) -> bool:
    """Whether a step that writes about videos was given the name of none."""
    writes = plan["intent"] in ("summarize", "compose")
    return writes and not named.videos and bool(named.candidates)


def reply_for(plan: Plan, named: Named, *, linked: bool, about: Sequence[str] = ()) -> str | None:
    """What to say where a step cannot do its work; null where it can.

    `linked` says that the message is nothing but links to videos that are known already; `about`
    are the titles of videos that speak of a name that is none of theirs.
    """
    language = plan["language"]
    if linked:
        titles = ", ".join(f"“{video.title}”" for video in named.videos or ())
        return phrase("known_video", language, titles=titles)
    if not lacks_video(plan, named):
        return None
    if named.missing:
        name = as_written(named.missing, plan["question"])
        unknown = phrase("unknown_video", language, name=name)
        near = nearest(named.missing, named.candidates, SHOWN) or list(about)
        return _with_titles(unknown, "nearest", near[:SHOWN], language)
    if plan["intent"] == "summarize" and not (named.everything or plan["video_ids"]):
        newest = [video.title for video in named.candidates[:SHOWN]]
        if len(named.candidates) > 1:
            return _with_titles(phrase("which_video", language), "newest", newest, language)
    return None


def _with_titles(
    text: str, heading: Literal["nearest", "newest"], titles: list[str], language: str
) -> str:
    if not titles:
        return text
    return "\n".join([f"{text}\n\n{phrase(heading, language)}", *(f"- {one}" for one in titles)])
