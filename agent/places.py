"""The form that a post needs for the place where it is to stand; pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent import x_thread
from agent.drafts import sentences
from talker.models import Place

LINKEDIN_MAX = 3_000
"""LinkedIn's limit for a post's text, in UTF-16 units as its editor counts: an emoji is two.
https://developers.buffer.com/guides/character-limits.md has the same number and unit."""

LINKEDIN_RESERVE = 400
"""Of these, what is kept for the names of the videos."""

LINKEDIN_FOLD = 210
"""About what LinkedIn shows before "…see more" on a wide screen; on a phone it is some 140."""

LINKEDIN_PARAGRAPH = 320
"""Our own: a longer paragraph fills a phone's screen."""

MAX_HASHTAGS = 5
MAX_NAMED = 3
"""How many source videos a LinkedIn post names; where there are more, the rest are receipts."""

MAX_TITLE = 100
"""Characters of YouTube's longest titles: with a link they fit one post of X in every script."""

BLOG_WORDS = (600, 1_200)
NEWSLETTER_WORDS = (200, 800)

SUBJECT_MAX = 60
"""Characters of a subject that most mail programs show; Mailchimp advises the same."""

PREVIEW_MAX = 140
"""Characters of preview text that the widest mail programs show beside the subject."""

FREE_MAX_WORDS = 2_500
"""Our own, for templates that name no place."""

_HASHTAGS = re.compile(r"(?:^|(?<=[.!?…])\s*)(?:#\w+[\s,]*)+$|(?:\s#\w+){2,}\s*$")
_HEADING = re.compile(r"#{1,6} ")
_FIELD = re.compile(
    r"[*_#\s]*(subject|preview)(?:\s+(?:line|text))?[*_]*\s*:\s*(.*)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class NamedVideo:
    """A video that a post is written from; `url` is null for one that came from a file alone."""

    title: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Form:
    """What a place asks of a text, `as_plain_text` where it knows no Markdown.

    `excess` says as a sentence what is too long, or null; `shape` gives a text without markers its
    final form, cut after a sentence where it is too long.
    """

    as_plain_text: bool
    excess: Callable[[str], str | None]
    shape: Callable[[str, Sequence[NamedVideo]], str]


def linkedin(text: str, videos: Sequence[NamedVideo]) -> str:
    """Plain short paragraphs, the first of them before the fold; the videos; the hashtags."""
    body, hashtags = _without_hashtags(text)
    paragraphs = [piece for block in _blocks(body) for piece in _short(block)]
    if paragraphs:
        paragraphs[:1] = _split(paragraphs[0], LINKEDIN_FOLD)
    named = "\n".join(_line(video) for video in videos[:MAX_NAMED])
    tags = " ".join(hashtags[:MAX_HASHTAGS])
    while paragraphs and _units("\n\n".join([*paragraphs, named, tags])) > LINKEDIN_MAX:
        paragraphs[-1] = _without_last_sentence(paragraphs[-1])
        paragraphs = [paragraph for paragraph in paragraphs if paragraph]
    return "\n\n".join(part for part in [*paragraphs, named, tags] if part)


def linkedin_excess(text: str) -> str | None:
    units = _units(text)
    if units <= LINKEDIN_MAX:
        return None
    most = LINKEDIN_MAX - LINKEDIN_RESERVE
    return f"The post has {units:,} characters; at most {most:,} are allowed."


def thread(text: str, videos: Sequence[NamedVideo]) -> str:
    """Numbered posts, the last of them with the first video's link."""
    if not videos:
        return x_thread.thread(text)
    first = NamedVideo(videos[0].title[:MAX_TITLE], videos[0].url)
    return x_thread.thread(text, _line(first))


def blog(text: str, videos: Sequence[NamedVideo]) -> str:
    """Markdown with a title; the videos as links under a rule."""
    title, _, rest = text.strip().partition("\n")
    if not _HEADING.match(title) and len(title) <= 120 and not title.rstrip().endswith("."):
        title = f"# {title.strip().strip('*')}"
    cut = _cut_words(f"{title}\n{rest}", BLOG_WORDS[1])
    return _with_links(cut, videos)


def newsletter(text: str, videos: Sequence[NamedVideo]) -> str:
    """`Subject:` and `Preview:` lines, then Markdown sections; the videos as links at the end."""
    fields, body = _fields(text)
    body = _cut_words(body, NEWSLETTER_WORDS[1])
    subject = fields.get("subject") or _first_line(body)
    preview = fields.get("preview") or _first_sentence(body)
    head = f"Subject: {_cut_line(subject, SUBJECT_MAX)}\nPreview: {_cut_line(preview, PREVIEW_MAX)}"
    return _with_links(f"{head}\n\n{body}", videos)


def newsletter_excess(text: str) -> str | None:
    fields, body = _fields(text)
    said = [_words_excess(NEWSLETTER_WORDS[1])(body)]
    for name, most in (("subject", SUBJECT_MAX), ("preview", PREVIEW_MAX)):
        if len(fields.get(name, "")) > most:
            said.append(f"The {name} is longer than {most} characters: shorten it.")
    return " ".join(sentence for sentence in said if sentence) or None


def free(text: str, _: Sequence[NamedVideo]) -> str:
    return _cut_words(text, FREE_MAX_WORDS)


def _words_excess(most: int) -> Callable[[str], str | None]:
    def excess(text: str) -> str | None:
        words = len(text.split())
        return f"It has {words:,} words; at most {most:,} are allowed." if words > most else None

    return excess


FORMS: Mapping[Place | None, Form] = {
    "linkedin": Form(True, linkedin_excess, linkedin),
    "x_thread": Form(True, x_thread.excess, thread),
    "blog": Form(False, _words_excess(BLOG_WORDS[1]), blog),
    "newsletter": Form(False, newsletter_excess, newsletter),
    None: Form(False, _words_excess(FREE_MAX_WORDS), free),
}


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _line(video: NamedVideo) -> str:
    """A video's name in any language, with its link."""
    return f"▶ {video.title}" + (f" {video.url}" if video.url else "")


def _with_links(text: str, videos: Sequence[NamedVideo]) -> str:
    lines = [
        f"- [{_unbracketed(video.title)}]({video.url})" if video.url else f"- {video.title}"
        for video in videos
    ]
    return f"{text}\n\n---\n\n" + "\n".join(lines) if lines else text


def _unbracketed(title: str) -> str:
    return title.replace("[", "(").replace("]", ")")


def _blocks(text: str) -> list[str]:
    return [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]


def _without_hashtags(text: str) -> tuple[str, list[str]]:
    """A text without its hashtags at the ends of lines, and these; one in a sentence stays."""
    kept: list[str] = []
    hashtags: list[str] = []
    for line in text.splitlines():
        found = _HASHTAGS.search(line)
        hashtags += re.findall(r"#\w+", found[0]) if found else []
        kept.append(line[: found.start()] if found else line)
    return "\n".join(kept), list(dict.fromkeys(hashtags))


def _short(block: str) -> list[str]:
    """A paragraph in pieces of whole sentences, none too long; a list stays as it is."""
    if "\n" in block or len(block) <= LINKEDIN_PARAGRAPH:
        return [block]
    first, *rest = _split(block, LINKEDIN_PARAGRAPH)
    return [first, *(piece for block in rest for piece in _short(block))]


def _split(block: str, most: int) -> list[str]:
    """A paragraph as the sentences that fit into `most` characters, one at least, and the rest."""
    if len(block) <= most:
        return [block]
    said = [one for line in block.splitlines(keepends=True) for one in sentences(line)]
    count = 1
    while count < len(said) and len("".join(said[: count + 1]).strip()) <= most:
        count += 1
    pieces = ("".join(said[:count]).strip(), "".join(said[count:]).strip())
    return [piece for piece in pieces if piece]


def _without_last_sentence(block: str) -> str:
    lines = block.splitlines(keepends=True)
    return "".join([*lines[:-1], *sentences(lines[-1])[:-1]]).strip()


def _cut_words(text: str, most: int) -> str:
    """A text's first sentences with at most `most` words, without a heading left at the end."""
    kept: list[str] = []
    words = 0
    for line in text.splitlines(keepends=True):
        for sentence in sentences(line):
            words += len(sentence.split())
            if words > most:
                return _without_last_headings("".join(kept))
            kept.append(sentence)
    return text.strip()


def _without_last_headings(text: str) -> str:
    lines = text.strip().splitlines()
    while lines and (not lines[-1].strip() or _HEADING.match(lines[-1])):
        lines.pop()
    return "\n".join(lines)


def _fields(text: str) -> tuple[dict[str, str], str]:
    """A newsletter's fields by name, and its body."""
    fields: dict[str, str] = {}
    body: list[str] = []
    for line in text.splitlines():
        found = _FIELD.fullmatch(line.strip())
        if found and found[1].lower() not in fields and not "".join(body).strip():
            fields[found[1].lower()] = found[2].strip().strip("*_").strip()
        else:
            body.append(line)
    return fields, "\n".join(body).strip()


def _first_line(body: str) -> str:
    return _HEADING.sub("", next((line for line in body.splitlines() if line.strip()), ""), count=1)


def _first_sentence(body: str) -> str:
    lines = [line for line in body.splitlines() if line.strip() and not _HEADING.match(line)]
    return sentences(lines[0])[0].strip() if lines else ""


def _cut_line(line: str, most: int) -> str:
    """A line that is no sentence, cut after a word."""
    return line if len(line) <= most else line[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:–-") + "…"
