"""Figures in a text, whether it writes 10,935 or "ten thousand nine hundred and thirty five"."""

import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache

import regex
from text_to_num import alpha2digit  # type: ignore[import-untyped]  # an extension without types

from talker.text import primary

SPELLED = frozenset({"da", "de", "en", "es", "fr", "it", "nl", "pt"})
"""Languages whose number words text2num reads; in others only digits are figures."""

LEAST_SPELLED = 2
"""A claim's "one" and "two" are more often articles and pronouns than figures."""

_NUMBER = regex.compile(r"\d+(?:[.,]\d+)*")
_GROUPS = regex.compile(r"(?<=\d)[\u00a0\u202f\u2009'\u2019](?=\d{3}(?!\d))")
"""Thin spaces and apostrophes between thousands."""
_SPACED = regex.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?!\d)")
_YEAR = regex.compile(r"(?<![\d.,])([12]\d) (\d\d)(?!\d)")
"""Years as text2num leaves them: "nineteen ninety nine" is 19 99."""
_POWER = regex.compile(r"(\d[\d.,]*) (1(?:000)+)(?!\d)")
"""The same for "58 billion", which is 58 1000000000."""
_LIST_MARK = regex.compile(r"^\s*\d{1,2}[.)]\s", regex.MULTILINE)

_ALSO = {"once": 1.0, "twice": 2.0, "double": 2.0, "couple": 2.0, "pair": 2.0, "both": 2.0}
_ALSO |= {"half": 0.5, "quarter": 0.25, "third": 3.0, "triple": 3.0, "dozen": 12.0}
"""English words for figures that text2num leaves alone."""


@lru_cache(maxsize=20_000)
def figures_said(text: str, language: str) -> frozenset[float]:
    """Every value that captions may be heard to name, by any reading of theirs."""
    digits = as_digits(text, language)
    said = {value for readings in _readings(digits) for value in readings}
    said.update(float("".join(match.groups())) for match in _YEAR.finditer(digits))
    said.update(_value(part) for match in _SPACED.finditer(digits) for part in match[0].split())
    if primary(language) == "en":
        said.update(_ALSO[word] for word in regex.findall(r"\p{L}+", text.lower()) if word in _ALSO)
    return frozenset(said)


def figures_claimed(text: str, language: str) -> list[set[float]]:
    """The figures of a claim in order, each as the values that it may be read as.

    10.935 is ten thousand in German and not quite eleven in English.
    """
    claim = _LIST_MARK.sub("", text)
    written = _readings(_normal(claim))
    spelled = _readings(as_digits(claim, language))
    return [one for one in spelled if max(one) > LEAST_SPELLED or one in written]


def bears_figures(claimed: Iterable[set[float]], said: Collection[float]) -> bool:
    return all(not readings.isdisjoint(said) for readings in claimed)


@lru_cache(maxsize=20_000)
def as_digits(text: str, language: str) -> str:
    """The text with its spelled numbers as digits, where we read its language."""
    if primary(language) not in SPELLED:
        return _normal(text)
    converted: str = alpha2digit(_normal(text), primary(language), 0)
    return converted


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", _GROUPS.sub("", text))


def _readings(digits: str) -> list[set[float]]:
    joined = _SPACED.sub(lambda match: match[0].replace(" ", ""), digits)
    found, end = [], 0
    for match in _POWER.finditer(joined):
        found += [_values(number[0]) for number in _NUMBER.finditer(joined, end, match.start())]
        found.append({value * float(match[2]) for value in _values(match[1].rstrip(".,"))})
        end = match.end()
    return found + [_values(number[0]) for number in _NUMBER.finditer(joined, end)]


def _values(number: str) -> set[float]:
    """What a number may mean: its signs may part thousands, or the whole from its fraction."""
    parts = regex.split("[.,]", number)
    values = set()
    if len(parts) > 1 and all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3:
        values.add(_value("".join(parts)))
    if len(parts) == 2 or (len(parts) > 2 and not values):
        values.add(float(f"{''.join(map(_ascii, parts[:-1]))}.{_ascii(parts[-1])}"))
    return values or {_value(number)}


def _value(digits: str) -> float:
    return float(_ascii(digits))


def _ascii(digits: str) -> str:
    """Digits of any script as ASCII's."""
    return "".join(str(unicodedata.digit(one)) for one in digits)
