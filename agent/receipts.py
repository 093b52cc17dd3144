"""A post's receipts: each claim proved from its passages, what is not borne out taken out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import regex

from agent.citations import citation, prove_citations, spoken
from agent.claims import MARK, quotes, without_numbers, without_quotes
from agent.drafts import sentences
from agent.figures import bears_figures, figures_claimed, figures_said
from agent.meaning import Meaning
from agent.quotes import support
from agent.state import Citation, Passage
from talker.text import guess_language, primary, tokens

SURE_SUPPORT = 0.5
"""Share of a sentence's words, weighted by rarity, that a passage's sentence must have to be its
receipt where the model named none."""

OWN_COUNT = 12
"""Up to here a text may count for itself ("5 lessons") what nobody counted."""

_MAGNITUDE = regex.compile(
    r"\b(?:sto|setki|tysi\p{L}+|milion\p{L}*|miliard\p{L}*|procent\p{L}*|сто|сот\p{L}*|тысяч\p{L}*"
    r"|миллион\p{L}*|процент\p{L}*)\b|[百千万億亿]",
    regex.IGNORECASE,
)
"""Words that make a figure in languages whose number words are not read."""

_LABEL = regex.compile(
    r"#{1,6} |[*_]*(?:subject|preview)[^:\n]{0,12}:|(?:#\w+[\s,]*)+$", regex.IGNORECASE
)
"""How a line begins that is no sentence: a heading, a newsletter's field, hashtags."""

_LEAD = regex.compile(r"[ \t]*(?:[-*+•] |\d{1,2}[.)] |\(?\d{1,2}/\d{0,2}\)?[.:]? )?")
_NAME = regex.compile(r"(?<=\p{Ll}[,;]? )\p{Lu}[\p{L}\p{N}]+")
"""A word with a capital in the middle of a sentence."""

CAPITALISED_NOUNS = frozenset({"de", "lb"})
"""Languages whose capitals do not tell names from other nouns."""


@dataclass
class Checked:
    """A draft of which only what is borne out is left.

    `citations` are numbered from 1 in the order of their claims, each the receipt of one sentence
    of `text`; `unproved` are the sentences that were taken out, and `hook_lost` says whether the
    first was one of them.
    """

    text: str = ""
    citations: list[Citation] = field(default_factory=list)
    unproved: list[str] = field(default_factory=list)
    hook_lost: bool = False

    def kept_in(self, content: str) -> list[Citation]:
        """The receipts of the claims that stand in a content, numbered anew."""
        return _numbered(one for one in self.citations if one["claim"] and one["claim"] in content)


async def check(
    draft: str, passages: Sequence[Passage], asked: str, meaning: Meaning | None
) -> Checked:
    """Prove a tidied draft's claims by the passages its markers name, and take the markers out.

    A sentence with a marker is a claim. One without states a fact when it has a figure or words in
    quotation marks, or, behind the first sentence and in the passages' language, a name that
    neither they nor `asked`, the person's own words, have; then the passages named beside it are
    tried, else all that the draft names. Whatever else has no marker is taken for the post's own
    words (a hook, a question, a call), of which no receipt is asked. A heading or a subject with a
    figure that nobody said is taken out.
    """
    prover = _Prover(draft, passages, asked, meaning)
    checked = Checked()
    lines = []
    for line in draft.split("\n"):
        kept = prover.label(line, checked) if _LABEL.match(line) else None
        kept = await prover.line(line, checked) if kept is None else kept
        if kept.strip() or not line.strip():
            lines.append(kept)
    checked.citations = _numbered(checked.citations)
    checked.text = regex.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return checked


class _Prover:
    def __init__(
        self, draft: str, passages: Sequence[Passage], asked: str, meaning: Meaning | None
    ) -> None:
        self._passages = passages
        self._meaning = meaning
        self._marks = _marks(draft)
        self._language = guess_language(tokens(without_numbers(draft)))
        # In another language than the passages' a name is written and declined in another way.
        spoken_in = {primary(passage["language"]) for passage in passages} - CAPITALISED_NOUNS
        self._tells_names = self._language in spoken_in
        titles = " ".join(passage["title"] for passage in passages)
        self._words = set(tokens(" ".join([asked, titles, *(p["text"] for p in passages)])))
        self._figures = {
            *figures_said(f"{asked} {titles}", self._language),
            *(value for p in passages for value in figures_said(p["text"], p["language"])),
        }
        self._at_start = True

    def label(self, line: str, checked: Checked) -> str:
        """A heading, field or line of hashtags; nothing where it has a figure that nobody said."""
        text = without_numbers(line)
        if bears_figures(_without_counts(figures_claimed(text, self._language)), self._figures):
            return text
        checked.unproved.append(text.strip())
        return ""

    async def line(self, line: str, checked: Checked) -> str:
        """A line without its markers and the sentences that nothing bears out."""
        lead = _LEAD.match(line)
        start = lead.end() if lead else 0
        kept = ""
        for sentence in sentences(line[start:]):
            text = without_numbers(sentence)
            found = await self._receipts(sentence, text, _marks(line))
            if found is None:
                checked.unproved.append(text.strip())
                checked.hook_lost |= self._at_start
            else:
                kept += text
                checked.citations += [_receipt(one, text.strip()) for one in found]
            self._at_start = False
        return line[:start] + kept.rstrip() if kept.strip() else ""

    async def _receipts(
        self, sentence: str, text: str, beside: Sequence[str]
    ) -> list[Citation] | None:
        """A sentence's receipts; none where it needs none, null where it needs one and has none."""
        if _marks(sentence):
            return await self._proved(sentence) or None
        if not self._marks:
            return self._nearest(text) or (None if self._states_fact(text) else [])
        if not self._states_fact(text):
            return []
        for mark in beside or self._marks:
            if found := await self._proved(f"{text.strip()} {mark}"):
                return found
        return None

    async def _proved(self, marked: str) -> list[Citation]:
        return (await prove_citations(marked, self._passages, meaning=self._meaning)).citations

    def _nearest(self, text: str) -> list[Citation]:
        """The receipt of a sentence for which the model named none: words that say nearly it."""
        claimed = figures_claimed(text, self._language)
        best, receipt = SURE_SUPPORT, None
        for passage in self._passages:
            said, language = spoken(passage), passage["language"]
            for share, one in zip(support(text, said, language), said, strict=True):
                if share >= best and bears_figures(claimed, figures_said(one.text, language)):
                    best, receipt = share, citation(passage["n"], passage, one)
        return [receipt] if receipt else []

    def _states_fact(self, text: str) -> bool:
        figures = figures_claimed(without_quotes(text), self._language)
        if self._at_start or text.rstrip().endswith(":"):  # "Five things I learned:"
            figures = _without_counts(figures)
        if figures or quotes(text) or _MAGNITUDE.search(text):
            return True
        # A hook may name what everybody knows ("the oldest thing on Earth").
        names = _NAME.findall(text) if self._tells_names and not self._at_start else []
        return any(token not in self._words for name in names for token in tokens(name))


def _without_counts(figures: Iterable[set[float]]) -> list[set[float]]:
    return [readings for readings in figures if max(readings) > OWN_COUNT]


def _receipt(found: Citation, claim: str) -> Citation:
    receipt = found.copy()
    receipt["claim"] = claim
    return receipt


def _numbered(citations: Iterable[Citation]) -> list[Citation]:
    numbered = [one.copy() for one in citations]
    for n, one in enumerate(numbered, 1):
        one["n"] = n
    return numbered


def _marks(text: str) -> list[str]:
    return list(dict.fromkeys(found[0].strip() for found in MARK.finditer(text)))
