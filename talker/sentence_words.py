"""Small words that tell where a sentence begins and where it cannot end, by language.

Only languages whose captions were measured are here; others are cut by pauses and length.
"""

from dataclasses import dataclass
from functools import cache

from talker.text import stop_words


@dataclass(frozen=True, slots=True)
class SentenceWords:
    """Case-folded: `opens` begin a sentence about every second time, `may_open` every fifth;
    `never_last` leave it open, and with `often_last` it is mostly over. `small` are the language's
    small words, which have a capital at a sentence's start alone, but for those in `capital`."""

    opens: frozenset[str]
    may_open: frozenset[str]
    never_last: frozenset[str]
    often_last: frozenset[str]
    small: frozenset[str]
    capital: frozenset[str]


_OPENS = {
    "en": "so but now well okay ok alright anyway however likewise moreover similarly instead "
    "therefore actually basically specifically hence suppose imagine notice remember maybe let's "
    "okay thank hello hi yeah yes hey look here's first finally consider",
    "pl": "ale więc no czyli teraz jednak zatem dlatego otóż natomiast dobrze dobra okej ok tak "
    "niemniej stąd potem następnie wreszcie skoro jeśli jeżeli wyobraź załóżmy zauważ zauważcie",
    "es": "así pero bueno ahora entonces luego además bien vale pues ok okay porque después "
    "imagina imaginemos supongamos fíjate recuerda finalmente primero",
    "de": "also aber nun jetzt doch dann okay ok gut ja außerdem natürlich schließlich zunächst "
    "stellt nehmen nehmt vielleicht deshalb deswegen",
    "fr": "alors mais maintenant donc bon voilà voici ensuite enfin cependant puis ok okay "
    "d'accord d'abord ainsi or supposons imaginez remarquez eh",
    "ja": "でも しかし そして では それでは それで さて だから つまり ところで 次に まず また "
    "なので ですから ここで 例えば たとえば 実は もし",
    "hi": "लेकिन अब तो इसलिए फिर चलिए चलो मगर परन्तु किन्तु अच्छा ठीक यदि अगर अतः",
}
_MAY_OPEN = {
    "en": "and if it's for what i then when there there's again after i'll i've what's since "
    "what's that's you'll he she they we you this these my how why because",
    "pl": "i a to co kiedy gdy ten ta te jak dla po w mamy mam możemy może można ponieważ bo",
    "es": "y si para qué esto como ya otra otro cuando cómo todos algunos tal este esta el la",
    "de": "und es ich wenn wir das was dies diese vielleicht denn falls er sie man wie",
    "fr": "et si pour cela ce ceci c'est il cette lorsque quand on ça nous je elle ils",
    "hi": "यह इस हम आप मैं और जब क्या वह ये वे इसके हमारे",
}
_NEVER_LAST = {
    "en": "the a an of to and but or if as at by with from into onto for in on than that's it's "
    "there's what's we're you're they're i'm i've we've you've let's he's she's which where when "
    "how what who whose why because so my your his her its our their this's every each some any "
    "very also just only be been is are was were am has have had would could should might will "
    "can may must shall do does did i we he she they you'll we'll it'll i'll that'll while "
    "although though since unless whether about between through over under kind sort bit lot "
    "maybe actually these those two three",
    "pl": "i a w z na do że ale o przez dla przy jako oraz ze po za jeśli gdy więc który która "
    "które których którego której którym żeby aby czy lub albo od u pod nad przed między bez bo "
    "ponieważ jest są był była było będzie bardzo nasz nasza jego jej ich jak co no czyli to ku",
    "es": "de la el en y una a un con por para los las se del al este estos esta estas como qué "
    "que no si cada entre lo su sus pero ya nuestro nuestra sobre hacia desde o u e muy más tan "
    "me te nos le les es son era está están ha han hay porque cuando donde cuyo sin",
    "de": "die der das den dem des ein eine einen einem einer eines und oder aber dass zu in im "
    "an am auf von vom für mit durch um als wenn wie was wo diese dieser dieses diesem diesen "
    "sich nur sehr über bei bis aus wir ihr er man ich du es denn weil ob zum zur nach vor sein "
    "mein dein unser jede jeder jedes wird kein keine dessen deren welche",
    "fr": "de et la à le les est que en une un pour dans qui des comme par si avec ces cette ce "
    "se mais sur du sont je ou ne au aux notre votre son sa ses leur leurs chaque dont où très "
    "nous vous il elle on ils d'un d'une qu'un qu'une quand puisque parce sans entre vers c'est",
    "ja": "は が を に の と で も て し、 、 ので から けど けれど ば たら という",
    "hi": "और कि एक यह इस जो के की का में से पर को या तो लेकिन जब यदि अगर बहुत हर उस ये अब क्योंकि "
    "ने अपने हमारे इसके एवं तथा वह किसी कोई",
}
_OFTEN_LAST = {
    "ja": "です ます ました でした ません でしょう ましょう ください ですね ますね ですよ "
    "ですか ますか でしょうか",
    "hi": "है हैं था थी थे हूँ हूं होगा होगी होंगे गा गे गी सकते",
}


_CAPITAL = {"en": "I I'm I'll I've I'd", "de": "Sie Ihr Ihre Ihnen Ihrem Ihren Ihrer"}


@cache
def sentence_words(language: str) -> SentenceWords:
    """Those of a language by its ISO 639-1 code; for one that is not here, `small` alone."""
    tables = (_OPENS, _MAY_OPEN, _NEVER_LAST, _OFTEN_LAST)
    opens, may_open, never_last, often_last = (
        frozenset(table.get(language, "").split()) for table in tables
    )
    return SentenceWords(
        opens,
        may_open - opens,
        never_last,
        often_last,
        small=stop_words(language),
        capital=frozenset(_CAPITAL.get(language, "").split()),
    )
