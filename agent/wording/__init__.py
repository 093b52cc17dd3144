"""How people word what they ask for: one table of patterns per language, beside this module.

A table is TOML. Its `[words]` are alternatives that its patterns name in capitals; a pattern is a
regular expression over folded text, where a space is a single space and, in languages that put
spaces between words, both ends are ends of words. A language is added by adding its file.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import regex

Pattern = re.Pattern[str]
Match = re.Match[str]

_SLOT = re.compile(r"(?<![\\A-Z])(?:[A-Z]{2,}|N)(?![A-Z])")
_NAMED = re.compile(r"\(\?<(?=\w)")
_ESCAPED = re.compile(r"\\.|\(\?P<\w+>|[^\\(]+|\(", re.DOTALL)
_MARKS = regex.compile(r"(?<=[\p{Latin}\p{Cyrillic}])\p{Mn}+")
_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?!\d| ?[ap]\.?m\b)"
_MINUTES = r"(?<![\d:.])\d{1,3}(?![\d:])"
_OWN_SLOTS = {
    "UNIT": "(?<minutes>MINUTE)|(?<hours>HOUR)|(?<seconds>SECOND)",
    "SPAN": "(?<days>DAY)|(?<weeks>WEEK)|(?<months>MONTH)|(?<years>YEAR)",
    "FROM": f"(?<from>{_CLOCK}|{_MINUTES})",
    "TO": f"(?<to>{_CLOCK}|{_MINUTES})",
}
"""Slots of every table; what they caught is read by the groups' names."""


def fold(text: str) -> str:
    """Text as patterns meet it: lower case, without the accents of Latin and Cyrillic letters
    (which people leave out), straight quotes' apostrophes, single spaces."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("ł", "l")
    bare = _MARKS.sub("", unicodedata.normalize("NFD", plain))
    return " ".join(unicodedata.normalize("NFC", bare).split())


@dataclass(frozen=True)
class Wording:
    """One language's table, compiled. `numbers` and `languages` go from a word to what it means,
    `months` has twelve patterns, `dates` one for each period that has a name."""

    code: str
    rules: Mapping[str, tuple[Pattern, ...]]
    styles: Mapping[str, Pattern]
    templates: Mapping[str, Pattern]
    dates: Mapping[str, Pattern]
    months: tuple[Pattern, ...]
    numbers: Mapping[int, Pattern]
    languages: Mapping[str, Pattern]

    def search(self, rule: str, text: str) -> Match | None:
        return next((m for one in self.rules.get(rule, ()) if (m := one.search(text))), None)

    def finditer(self, rule: str, text: str) -> Iterator[Match]:
        for one in self.rules.get(rule, ()):
            yield from one.finditer(text)


@cache
def wordings() -> tuple[Wording, ...]:
    """Every language's table, by the order of their codes."""
    files = sorted(
        (file for file in resources.files(__name__).iterdir() if file.name.endswith(".toml")),
        key=lambda file: file.name,
    )
    return tuple(
        _compiled(file.name.removesuffix(".toml"), tomllib.loads(file.read_text(encoding="utf-8")))
        for file in files
    )


def search(rule: str, text: str) -> tuple[Wording, Match] | None:
    """The first match of a rule in any language."""
    return next(((one, m) for one in wordings() if (m := one.search(rule, text))), None)


def caught(match: Match, name: str) -> str | None:
    """What a slot caught, be it at its first or its second place in the pattern."""
    groups = match.groupdict()
    return groups.get(name) or groups.get(f"{name}2")


def _compiled(code: str, table: dict[str, Any]) -> Wording:
    parts = {name: table.pop(name, {}) for name in _PARTS}
    words, numbers, languages = parts["words"], parts["numbers"], parts["languages"]
    slots = {
        **words,
        **_OWN_SLOTS,
        "N": f"(?<n>\\d+|{_either(numbers)})",
        "LANGUAGE": f"(?<language>{_either(languages)})",
    }
    whole = bool(table.pop("spaced", True))

    def made(pattern: str, *, alone: bool = True) -> Pattern:
        return _pattern(pattern, slots, whole=whole and alone)

    return Wording(
        code=code,
        rules={
            name: tuple(made(one) for one in _listed(patterns)) for name, patterns in table.items()
        }
        | {"video": (made("VIDEO"),), "minute": (made("MINUTE"),), "talk": (made("TALK"),)},
        styles={name: made(one) for name, one in parts["styles"].items()},
        templates={name: made(one) for name, one in parts["templates"].items()},
        dates={name: made(one) for name, one in parts["dates"].items() if name != "months"},
        months=tuple(made(one) for one in _months(parts["dates"])),
        numbers={int(number): made(one) for number, one in numbers.items()},
        languages={name: made(one) for name, one in languages.items()},
    )


_PARTS = ("words", "styles", "templates", "numbers", "dates", "languages")


def _listed(patterns: str | list[str]) -> list[str]:
    return [patterns] if isinstance(patterns, str) else patterns


def _months(dates: dict[str, str]) -> list[str]:
    return dates["months"].split(";") if "months" in dates else []


def _either(words: Mapping[str, str]) -> str:
    return "|".join(words.values()) or "(?!)"


def _pattern(pattern: str, slots: Mapping[str, str], *, whole: bool) -> Pattern:
    while (filled := _SLOT.sub(lambda m: f"(?:{slots.get(m[0], '(?!)')})", pattern)) != pattern:
        pattern = filled
    folded = "".join(  # escapes and groups' names stay as they are
        piece[0] if piece[0][0] in "\\(" else _folded(piece[0])
        for piece in _ESCAPED.finditer(_once(_NAMED.sub("(?P<", pattern)))
    )
    return re.compile(rf"(?<!\w)(?:{folded})(?!\w)" if whole else folded)


def _once(pattern: str) -> str:
    """The second group of a name as `name2`: Python allows each name once."""
    seen: set[str] = set()

    def named(group: Match) -> str:
        again = group[1] in seen
        seen.add(group[1])
        return f"(?P<{group[1]}{'2' if again else ''}>"

    return re.sub(r"\(\?P<(\w+)>", named, pattern)


def _folded(literal: str) -> str:
    """Folded with its own outer spaces, which `fold` would take for padding."""
    bare = literal.strip(" ")
    if not bare:
        return literal
    head, tail = (
        literal[: len(literal) - len(literal.lstrip(" "))],
        literal[len(literal.rstrip(" ")) :],
    )
    return f"{head}{fold(bare)}{tail}"
