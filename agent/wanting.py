"""What is said instead of a step's work, where what the person named is not there."""

from typing import Literal

from agent.named import Named
from agent.phrases import phrase
from agent.state import Plan
from agent.titles import nearest

SHOWN = 3


def reply_for(plan: Plan, named: Named, *, linked: bool) -> str | None:
    """What to say where a step cannot do its work; null where it can.

    `linked` says that the message is nothing but links to videos that are known already.
    """
    language = plan["language"]
    if linked:
        titles = ", ".join(f"“{video.title}”" for video in named.videos or ())
        return phrase("known_video", language, titles=titles)
    if plan["intent"] not in ("summarize", "compose") or named.videos or not named.candidates:
        return None
    if named.missing:
        near = nearest(named.missing, named.candidates, SHOWN)
        unknown = phrase("unknown_video", language, name=named.missing)
        return _with_titles(unknown, "nearest", near, language)
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
