"""What others wrote, made safe to stand in a prompt: it cannot end its fence or pass for ours."""

from datetime import datetime

import regex

from agent.harmless import visible
from agent.state import Passage

MAX_NAME_CHARS = 200
"""Of titles and channels; YouTube's own titles have at most 100."""

_FENCES = str.maketrans({"<": "‹", ">": "›", "＜": "‹", "＞": "›", "【": "(", "】": ")"})
_NUMBER = regex.compile(r"\[(\s*[\^#]?\s*\d[^\[\]]{0,20})\]")
_TAG = regex.compile(r"<(/?\s*[\p{L}_]+[^<>]*)>")
_ROLE = regex.compile(r"<\|[^|<>]{0,40}\|>")


def unfenced(text: str) -> str:
    """Text on one line that can neither close the fence it is put in nor number a passage."""
    plain = _ROLE.sub(" ", visible(text))
    return " ".join(_NUMBER.sub(r"(\1)", plain.translate(_FENCES)).split())


def asked(text: str) -> str:
    """A person's own message as they wrote it, but that it holds no fence."""
    return _TAG.sub(r"‹\1›", visible(text))


def name(text: str) -> str:
    """A title or channel, as `unfenced` and no longer than names are."""
    short = unfenced(text)
    return short if len(short) <= MAX_NAME_CHARS else f"{short[:MAX_NAME_CHARS].rstrip()}…"


def fenced(passage: Passage) -> str:
    """A passage under its number, with the video it is from: each on one line."""
    video = f"“{name(passage['title'])}”"
    if passage["channel"]:
        video += f" by {name(passage['channel'])}"
    if passage["published_at"]:
        day = datetime.fromisoformat(passage["published_at"])
        video += f", published on {day.strftime('%d %B %Y')}"
    return f"[{passage['n']}] from the video {video}:\n{unfenced(passage['text'])}"
