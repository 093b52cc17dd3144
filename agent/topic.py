"""What a person wants a post to be about, from the words in which they ask for one."""

import regex

from agent.languages import message_language
from talker.text import stop_words

_TASK = regex.compile(
    r"""
    # English: texts, asking for one, what it is from, how it should be
    x|(?:blog)?posts?|blogs?|articles?|threads?|newsletters?|tweets?|twitter|linkedin|captions?|drafts?
    |texts?|write|writing|compose|create|generate|prepare|produce|turn|make|making|publish|share|give
    |need|want|please|pls|out|videos?|clips?|talks?|lectures?|recordings?|transcripts?|episodes?
    |podcasts?|collections?|playlists?|channels?|based|content|main|key|points?|ideas?|lessons?
    |takeaways?|insights?|summar\p{L}*|tone|style|playful|funny|humorous|formal|informal|casual
    |professional|serious|friendly|warm|short|long|brief|concise|simple|engaging|words?|characters?
    |sentences?|paragraphs?|hashtags?|emojis?|again|rewrite|redo|shorter|longer|simpler|better|different
    |version|english|polish|spanish|german|french|italian
    |portuguese|dutch|russian|japanese|chinese
    # Polish
    |post\p{L}{0,3}|wpis\p{L}{0,3}|artyku[łl]\p{L}{0,3}|w[ąa]t(?:ek|k)\p{L}{0,3}|biuletyn\p{L}{0,3}
    |tekst\p{L}{0,3}|napisz\p{L}*|zrób\p{L}*|stwórz\p{L}*|utwórz|przygotuj\p{L}*|proszę|film\p{L}{0,3}
    |wideo|nagrani\p{L}*|wykład\p{L}{0,3}|odcin\p{L}*|kolekcj\p{L}|kana[łl]\p{L}{0,2}|ton(?:ie)?|styl\p{L}?
    |zabawn\p{L}+|krótk\p{L}+|krócej|krótsz\p{L}+|dłu[żg]\p{L}+|dług\p{L}+|s[łl]ów|słowach|znaków|polsku|angielsku|niemiecku|hiszpańsku
    |najważniejsz\p{L}+|główn\p{L}+
    # Spanish, Portuguese, Italian
    |publicaci[óo]n|publicação|entrada|art[íi]culo|artigo|articolo|hilo|bolet[íi]n|boletim|texto
    |escr[íi]b\p{L}*|escrev\p{L}*|scriv\p{L}*|redact\p{L}*|redij\p{L}*|haz(?:me)?|faça|crea|cri[ea]|genera
    |prepara|quiero|favor|v[íi]deos?|filmato|charla|palestra|conferen[cz]\p{L}+|grabación|gravação
    |ton[oi]|estilo|divertid[oa]|divertente|breve|cort[oa]|curt[oa]|palabras|palavras|parole|español
    |inglés|inglês|inglese|italiano|português|polaco|principal\p{L}*
    # French
    |billet|fil|infolettre|texte|écri\p{L}*|rédig\p{L}*|fais|crée|vidéos?|conférence|enregistrement
    |ludique|court|mots|français|anglais|espagnol|allemand|polonais
    # German, Dutch
    |(?:blog)?beitr[äa]g\p{L}*|(?:blog)?artikel\p{L}?|rundbrief|schreib\p{L}?|erstell\p{L}?|verfass\p{L}?
    |mach(?:e|en)?|bitte|vortrag\p{L}?|aufnahme|stil|locker\p{L}*|witzig\p{L}*|kurz\p{L}{0,2}|lang\p{L}{0,2}
    |wört\p{L}+|deutsch|englisch|spanisch|polnisch|schrijf|maak|bericht|nieuwsbrief|kort|woorden
    # Russian, Ukrainian
    |посты?|пост[аеу]|стать[юяие]\p{L}?|тред\p{L}?|рассылк\p{L}|напиш\p{L}*|сдела\p{L}*|созда[йт]\p{L}*
    |состав\p{L}*|подготов\p{L}*|видео|відео|ролик\p{L}*|лекци\p{L}|запис[ьи]|тон\p{L}?|стил[ья]\p{L}?
    |коротк\p{L}+|слов|русском|английском|українською
    """,
    regex.IGNORECASE | regex.VERBOSE,
)
"""Words that ask for a text, name what it is from or say how it should be."""

_SPACELESS_TASK = regex.compile(
    r"投稿|記事|ブログ|スレッド|ツイート|ニュースレター|動画|ビデオ|講演|書いて|作って|作成|ください|して"
    r"|について|に関する|から|この|その|短い|短く|文章|帖子|博客|推文|视频|影片|写一篇|写一个|写|生成|关于|这个|这段"
    r"|請|请|一篇|的|の|を|で|に|は"
)
_VIDEOS = regex.compile(
    r"\b(?:videos?|clips?|talk|lecture|recording|episode|film\p{L}{0,3}|wideo|nagrani\p{L}*|wykład\p{L}{0,3}"
    r"|odcin\p{L}*|v[íi]deos?|vidéos?|charla|palestra|conférence|vortrag\p{L}?|видео|відео|ролик\p{L}*"
    r"|лекци\p{L}|collection|playlist\p{L}*|kolekcj\p{L})\b|動画|ビデオ|视频|影片",
    regex.IGNORECASE,
)
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}\p{N}]*(?:['’-][\p{L}\p{N}]+)*|\p{N}+(?:[.,]\p{N}+)*")


def names_videos(request: str) -> bool:
    """Whether a request speaks of videos, and so is not about what was talked of before."""
    return _VIDEOS.search(request) is not None


def topic(request: str) -> str:
    """A request without the words that ask for a text and say how it should be.

    What is left is what the text is to be about; empty where that is the video itself. A word
    that this does not know ("sarcastic") stays, so that what is left need not be a topic.
    """
    small = stop_words(message_language(request))
    left = []
    for word in _WORD.findall(_SPACELESS_TASK.sub(" ", request)):
        folded = word.casefold()
        if not _TASK.fullmatch(word) and folded not in small and not folded.isnumeric():
            left.append(word)
    return " ".join(left)
