"""What captions show beside the words that were said, taken out; no word is lost."""

import html
from collections.abc import Sequence
from itertools import pairwise

import regex

MARKUP = regex.compile(
    r"</?(?:b|i|u|s|ruby|rt|br)(?:\.[^<>\s]*)?\s*/?>"
    r"|</?(?:c|v|font|lang|span)(?:[.\s][^<>]*)?>"
    r"|<(?:\d+:)?\d{2}:\d{2}\.\d{3}>|\{\\[^{}]*\}",
    regex.IGNORECASE,
)
"""Markup that players know; other text between angle brackets is words, such as "a<b and c>d"."""

# Control characters and halves of surrogate pairs are no text (Postgres takes no NUL); overrides
# and embeddings of direction can make a name read as another, and reach beyond its end.
_NO_NAME = regex.compile(
    r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff]+|(?P<turned>[\u202a-\u202e\u2066-\u2069]+)"
)

_PLAIN = regex.compile(r"[\p{L}\p{M}\p{N}_\s,.;?!'’%]*")
"""Most lines: none of the signs that anything below begins with."""

# A joiner of Arabic or Indian letters, or of an emoji's parts, is part of how they are written.
_UNSEEN = regex.compile(
    r"[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
    r"|(?<=^|[\p{Latin}\p{Greek}\p{Cyrillic}\p{N}\p{P}\s])[\u200c\u200d]"
)
_SOUND_WORDS = (
    "music|applause|applauding|laugh|laughs|laughing|laughter|cheers|cheering|chuckle|chuckles|"
    "chuckling|sigh|sighs|cough|coughs|coughing|gasps|clapping|inaudible|indistinct|silence|"
    "singing|whispering|crying|beep|beeping|noise|muzyka|śmiech|śmieje|brawa|oklaski|música|"
    "aplausos|risas|risa|risos|musica|applausi|risate|musik|applaus|gelächter|lacht|lachen|"
    "beifall|musique|applaudissements|rires|rire|rit|muziek|gelach|музыка|аплодисменты|смех|"
    "смеется|смеётся|музика|müzik|alkış|संगीत|तालियां|तालियाँ|हंसी|हँसी|موسيقى|تصفيق|ضحك|"
    "音楽|拍手|笑い|笑|音乐|音樂|掌声|掌聲|笑声|笑聲|음악|박수|웃음"
)
_SOUND = regex.compile(
    r"[\[\uff3b\u3010](?=[^\]]*(?:\p{L}\p{M}*\p{L}|\p{Han}))[\p{L}\p{M}\s'’.-]{1,40}[\]\uff3d\u3011]"
    r"|\[\s*__\s*\]|[\u2669-\u266c]+"
    rf"|[(\uff08*](?:[\p{{L}}\p{{M}}]+\s){{0,3}}(?:{_SOUND_WORDS})(?:\s[\p{{L}}\p{{M}}]+){{0,2}}[)\uff09*]",
    regex.IGNORECASE,
)
"""Square brackets are an editor's; round ones may hold words that were said, or a formula."""

_ROLE = (
    r"(?:speaker|narrator|interviewer|host|moderator|audience|student|man|woman|sprecher|sprecherin|"
    r"narrador|narradora|locutor|narrateur|intervenant|mówca|narrator|lektor)(?:\s\d{1,2})?"
)
_TURN = regex.compile(r"(?:^|(?<=\s))>>+\s*|^[-\u2013\u2014](?:\s+|(?=\p{L}))")
_TURN_WITHIN = regex.compile(r"(?<=[.?!\u2026])\s+[-\u2013\u2014]\s+(?=\p{Lu})")
_LABEL = regex.compile(rf"^(?:{_ROLE})\s?:\s+", regex.IGNORECASE)
_NAME_IN_CAPITALS = regex.compile(
    r"^\p{Lu}[\p{Lu}.'’-]+(?:\s(?:\p{Lu}[\p{Lu}.'’-]*|\d{1,2})){0,2}:\s+(?=.*\p{Ll})"
)
"""Before words that are not in capitals too: a line all in capitals may have a colon of its own."""

ROLLING_SHARE = 3
"""Rolling captions repeat in every line, or every second; speech does by chance, now and then."""


def plain_name(text: str) -> str:
    """A title or name on one line, without what no screen should be told to show."""
    return " ".join(_NO_NAME.sub(lambda m: "" if m["turned"] else " ", text).split())


def clean(text: str) -> str:
    """A caption line without tags, entities, sound cues and speaker marks, on one line."""
    if _PLAIN.fullmatch(text):
        return " ".join(text.split())
    decoded = html.unescape(html.unescape(text))
    said = _SOUND.sub(" ", MARKUP.sub(" ", _UNSEEN.sub("", decoded)))
    line = " ".join(said.split())
    line = _TURN.sub("", _TURN_WITHIN.sub(" ", line))
    return _NAME_IN_CAPITALS.sub("", _LABEL.sub("", line))


def unrolled(lines: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """The words that each line adds to what the display still shows of the one before it.

    All of them where captions do not roll: there a repetition was said.
    """
    said = [number for number, words in enumerate(lines) if words]
    added = list(lines)
    rolls, pairs = 0, 0
    for before, number in pairwise(said):
        again = _repeated(lines[before], lines[number])
        added[number] = lines[number][again:]
        if lines[before] != lines[number]:
            pairs += 1
            rolls += again > 0
    return added if rolls >= 2 and rolls * ROLLING_SHARE >= pairs else list(lines)


def _repeated(before: Sequence[str], words: Sequence[str]) -> int:
    """How many of a line's first words roll over from the line before it.

    Two words may meet by chance ("the, the"); three, or a whole line, do so seldom.
    """
    for count in range(min(len(before), len(words)), 0, -1):
        if before[-count] == words[0] and list(before[-count:]) == list(words[:count]):
            whole_line = count in (len(before), len(words))
            return count if count >= 3 or (whole_line and count >= 2) else 0
    return 0
