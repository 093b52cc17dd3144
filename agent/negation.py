"""Whether a sentence denies something, by the small words of nine languages."""

import regex

from talker.text import primary, tokens

_NOT = {
    "en": "not no never none nobody nothing neither nor cannot without hardly",
    "de": "nicht kein keine keinen keinem keiner keines nie niemals niemand nichts ohne weder kaum",
    "es": "no nunca jamás nadie nada ningún ninguna ninguno sin tampoco ni",
    "fr": "ne n'est n'a n'y n'ont pas jamais aucun aucune rien personne sans ni",
    "it": "non mai nessun nessuno nessuna niente nulla senza né",
    "nl": "niet geen nooit niemand niets zonder noch",
    "pl": "nie nigdy żaden żadna żadne żadnego żadnej nikt nic bez ani",
    "pt": "não nunca jamais ninguém nada nenhum nenhuma sem nem",
    "hi": "नहीं न मत बिना कभी",
}
_WORDS = {language: frozenset(words.split()) for language, words in _NOT.items()}
_JAPANESE = regex.compile(r"ない|なかっ|なく|ません|ずに")
_NOT_ONLY = frozenset({"only", "just", "merely", "nur", "sólo", "solo", "tylko", "só"})
"""Behind a "not", these deny nothing."""


def denies(text: str, language: str) -> bool | None:
    """None where we do not know the language's words for it."""
    language = primary(language)
    if language == "ja":
        return _JAPANESE.search(text) is not None
    if language not in _WORDS:
        return None
    words = tokens(text)
    following = [*words[1:], ""] if words else []
    return any(
        (word in _WORDS[language] or word.endswith("n't")) and after not in _NOT_ONLY
        for word, after in zip(words, following, strict=True)
    )


def contradicts(claim: str, claim_language: str, said: str, language: str) -> bool:
    """Whether exactly one of the two denies; false where that cannot be told."""
    one, other = denies(claim, claim_language), denies(said, language)
    return one is not None and other is not None and one != other
