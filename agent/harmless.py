"""A model's text without what calls elsewhere: no link, image, HTML or hidden character.

A transcript may talk a model into any of them; an answer's only links are its citations, which
are made from rows. `plain` cleans a whole text, `Preview` the same text while it streams.
"""

import regex

_HIDDEN = regex.compile(
    r"[\p{Cc}\p{Co}\p{Cs}\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff--[\n\t]]",
    regex.V1,
)
"""Controls, among them those that turn the reading direction, and letters nobody sees.

The joiners of Indic and Persian scripts stay.
"""
_IMAGE = regex.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?")
_LINK = regex.compile(r"\[([^\[\]]*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*[^\[\]\d][^\[\]]*\])")
_DEFINITION = regex.compile(r"^( {0,3}\[[^\]\n]+\]):", regex.MULTILINE)
_TAG = regex.compile(r"<[a-zA-Z/!?][^<>]*>")
_TAG_START = regex.compile(r"<(?=[a-zA-Z/!?])")
_ADDRESS = regex.compile(
    r"(?:\b[a-zA-Z][a-zA-Z0-9+.-]*://|\bwww\.|\b(?:m\.)?youtu(?:be(?:-nocookie)?\.com|\.be)/"
    r"|(?<![\w:/])//(?=\w)|\b(?:javascript|data|mailto|vbscript):(?=\S))[^\s)\]>»”]*"
)
_EMPTY = regex.compile(r"[ \t]*(?:\(\s*\)|\[\s*\]|<\s*>)")

_SPACES = regex.compile(r"(?<=\S) {2,}(?=\S)")

_STREAMED_ADDRESS = regex.compile(r"(?::?//|\bwww\.)\S*")
_UNDECIDED = regex.compile(r"(?:\]:?/?|<|!|(?<!/)(?::?/|:)|(?<!\w)w{1,3})$")
"""What a stream may end with that the next word makes a link, an image or a tag of."""


def visible(text: str) -> str:
    """The text without characters that only a machine sees."""
    return _HIDDEN.sub("", text)


def plain(text: str) -> str:
    """The text with links as their words, without images, tags, addresses, hidden characters.

    A linked number stays a citation's mark: `[1](…)` is `[1]`.
    """
    text = _IMAGE.sub("", visible(text))
    while (unlinked := _LINK.sub(_words, text)) != text:
        text = unlinked
    text = _EMPTY.sub("", _ADDRESS.sub("", _TAG.sub("", text)))
    return _unlinkable(_DEFINITION.sub(r"\1 :", _SPACES.sub(" ", text)))


def _words(link: regex.Match[str]) -> str:
    return f"[{link[1]}]" if link[1].strip().isdigit() else link[1]


def _unlinkable(text: str) -> str:
    """What is left of broken links and tags cannot become one."""
    return _TAG_START.sub("‹", text.replace("](", "] (").replace("![", "["))


class Preview:
    """A streamed text made harmless piece by piece, with at most a sign or two held back.

    Nothing that it lets through can be rendered as a link, an image or a tag; the words of a
    link may stay where `plain`, which sees the whole, takes them out.
    """

    def __init__(self) -> None:
        self._held = ""
        self._in_address = False

    def add(self, text: str) -> str:
        """What may be shown now of all that has come."""
        text = self._held + visible(text)
        if self._in_address:
            rest = text.lstrip() if text[:1].isspace() else regex.sub(r"^\S+", "", text)
            self._in_address = not rest and not text[:1].isspace()
            text = text if text[:1].isspace() else rest
        undecided = _UNDECIDED.search(text)
        shown, self._held = (
            (text, "")
            if undecided is None
            else (
                text[: undecided.start()],
                text[undecided.start() :],
            )
        )
        return self._harmless(shown)

    def end(self) -> str:
        """What was held back, at the end of the stream."""
        shown, self._held = self._held, ""
        return self._harmless(shown)

    def _harmless(self, text: str) -> str:
        addresses = list(_STREAMED_ADDRESS.finditer(text))
        if addresses and addresses[-1].end() == len(text):
            self._in_address = True
        return _unlinkable(_STREAMED_ADDRESS.sub("", text).replace("]:", "] :"))
