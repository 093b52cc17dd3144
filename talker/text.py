"""Words for matching: tokens, stems, stop words, and BM25's weights for the sparse vectors."""

import threading
import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

import regex
import Stemmer  # type: ignore[import-not-found]  # PyStemmer, an extension without types
import stopwordsiso

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek",
    "en": "english", "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque",
    "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nb": "norwegian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""Snowball's stemmers by ISO 639-1 code; other languages are matched by whole words."""

K1 = 1.2
B = 0.75
AVERAGE_TERMS = 60
"""Terms in an average chunk of 100 tokens, fixed so that a point need not know the others."""

_TOKEN = regex.compile(
    r"(?P<spaceless>[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u30fc]+)"
    r"|\p{N}+(?:[.,]\p{N}+)*|[\p{L}\p{M}\p{N}]+(?:['\u2019][\p{L}\p{M}]+)*"
)
_SPACELESS = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u30fc\u3001-\u3011\uff01-\uff0f\uff1a-\uff1f]"
)
_FIRST_SPACELESS = "\u0e01"
"""Thai's first letter; all scripts with spaces that captions have many of stand before it."""

_SCRIPTS = {
    "ja": regex.compile(r"[\p{Hiragana}\p{Katakana}]"),
    "zh": regex.compile(r"\p{Han}"),
    "ko": regex.compile(r"\p{Hangul}"),
    "th": regex.compile(r"\p{Thai}"),
    "he": regex.compile(r"\p{Hebrew}"),
}
"""Scripts of (nearly) one language, Japanese before the one whose characters it borrows."""


_COMMON = ("en", "es", "de", "fr", "pt", "it", "pl", "ru", "hi", "ar")
_KNOWN = list(dict.fromkeys([*_COMMON, *STEMMERS, "bg", "uk", "ja", "zh", "ko", "th", "he"]))

_LETTERS = {
    "pl": "ąęłńśźż", "es": "ñ", "pt": "ãõ", "fr": "œ", "uk": "іїєґ", "ru": "ыэё", "tr": "ğı",
    "ro": "țș", "cs": "ěřů", "hu": "őű", "hi": "कहैंमे", "ar": "ةأإى", "fa": "پچگک", "no": "å",
    "sv": "å", "da": "å",
}  # fmt: skip
"""Letters that few languages have, of those that share a script."""


def is_spaceless(character: str) -> bool:
    """Whether a character is of a script that writes no spaces between words."""
    return character >= _FIRST_SPACELESS and _SPACELESS.match(character) is not None


def token_estimate(text: str) -> int:
    """About how many of e5's tokens a text has: within 10 % on captions in eight languages."""
    if text.isascii():
        return round(len(text) / 4)
    ascii_count = sum(character.isascii() for character in text)
    spaceless = len(_SPACELESS.findall(text))
    return round(ascii_count / 4 + spaceless * 0.6 + (len(text) - ascii_count - spaceless) * 0.35)


def primary(language: str) -> str:
    """`pt` of `pt-BR`."""
    return language.replace("_", "-").split("-")[0].lower()


def tokens(text: str) -> list[str]:
    """Case-folded words and numbers; pairs of characters where a script has no spaces."""
    found = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text).casefold()):
        token = match.group()
        if match.group("spaceless"):
            found += [token[at : at + 2] for at in range(max(1, len(token) - 1))]
        elif token[0].isnumeric():
            found.append(token.replace(",", ""))
        else:
            found.append(token.replace("\u2019", "'").removesuffix("'s"))
    return found


@lru_cache(maxsize=200_000)
def stem(token: str, language: str) -> str:
    """A token's stem in a language; itself where there is no stemmer."""
    algorithm = STEMMERS.get(language)
    return str(_stemmer(algorithm).stemWord(token)) if algorithm else token


def _stemmer(algorithm: str) -> Stemmer.Stemmer:
    """A stemmer of this thread's own: PyStemmer's may not be shared."""
    mine: dict[str, Stemmer.Stemmer] = _of_thread.__dict__
    if algorithm not in mine:
        mine[algorithm] = Stemmer.Stemmer(algorithm)
    return mine[algorithm]


_of_thread = threading.local()


@cache
def stop_words(language: str) -> frozenset[str]:
    return frozenset(stopwordsiso.stopwords(language) if stopwordsiso.has_lang(language) else ())


def stems(text: str, language: str) -> list[str]:
    """The stems of a text's words in order, small words too: the index's IDF makes them light."""
    language = primary(language)
    return [stem(token, language) for token in tokens(text)]


def content_words(text: str) -> list[str]:
    """A text's words in order, each once, without the small ones; all where nothing else is left.

    The small ones are those of the language most of whose small words the text has.
    """
    asked = list(dict.fromkeys(tokens(text)))
    small = stop_words(guess_language(asked))
    return [token for token in asked if token not in small] or asked


@lru_cache(maxsize=20_000)
def any_stem(token: str) -> frozenset[str]:
    """The stems that a word may have in the videos' languages.

    A name or a loanword of an English question is met in Polish captions by its Polish stem.
    """
    return frozenset({token, *(stem(token, language) for language in STEMMERS)})


def guess_language(asked: Iterable[str]) -> str:
    """The language that some tokens are of, by their script or else by their small words.

    English where neither tells.
    """
    return likeliest(language_scores(asked))


def language_scores(asked: Iterable[str]) -> dict[str, float]:
    """How much tells for each language that some tokens may be of; nothing for the others.

    A small word counts the more, the fewer languages have it; a letter as much as such a word.
    """
    asked = set(asked)
    telling = [token for token in asked if not token.isascii()]  # all scripts and letters below
    for language, script in _SCRIPTS.items():
        if telling and sum(bool(script.search(token)) for token in telling) * 4 >= len(asked):
            return {language: float(len(asked))}
    letters = Counter(letter for token in telling for letter in set(token))
    scores: defaultdict[str, float] = defaultdict(float)
    for token in asked:
        owners = _small_word_owners().get(token, ())
        for language in owners:
            scores[language] += 1 / len(owners)
    for language, own in _LETTERS.items() if letters else ():
        scores[language] += sum(letters[letter] for letter in own) / 2
    return {language: score for language, score in scores.items() if score}


def likeliest(scores: Mapping[str, float]) -> str:
    """The language that most tells for, the commoner one of two; English where nothing does."""
    return max(_KNOWN, key=lambda language: scores.get(language, 0.0))


@cache
def _small_word_owners() -> dict[str, list[str]]:
    owners: dict[str, list[str]] = {}
    for language in _KNOWN:
        for word in stop_words(language):
            owners.setdefault(word, []).append(language)
    return owners


def term_id(term: str) -> int:
    """A term's dimension in the sparse vectors: the same in every process and for ever."""
    return zlib.crc32(term.encode())


def weights(text: str, language: str) -> dict[int, float]:
    """BM25's term weights of a chunk by dimension; the index supplies the IDF."""
    counts = Counter(stems(text, language))
    length = sum(counts.values())
    norm = K1 * (1 - B + B * length / AVERAGE_TERMS)
    return {
        term_id(term): count * (K1 + 1) / (count + norm) for term, count in sorted(counts.items())
    }
