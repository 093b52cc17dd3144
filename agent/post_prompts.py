"""What a model is told to write a post, and to write it again."""

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from agent import places, x_thread
from agent.claims import without_numbers
from agent.fence import asked, fenced, unfenced
from agent.prompts import fill
from agent.state import Passage
from talker.models import Place

NOTHING = "NO_MATERIAL"
"""What a model replies when the passages say nothing about what is asked for."""


BEFORE_CHARS = 4_000
"""Of the turn before: a whole LinkedIn post."""


def post_prompt(
    place: Place | None,
    passages: Sequence[Passage],
    turns: Sequence[AnyMessage],
    request: str,
    template: str,
) -> list[AnyMessage]:
    """The rules and the place's form, which stay the same; the passages fenced as data; the last
    of the `turns` before; the person's own template and their request."""
    rules = fill("compose", nothing=NOTHING, form=_form(place))
    told = fill(
        "compose_request",
        passages="\n\n".join(map(fenced, passages)),
        before=_before(turns),
        template=fill("compose_template", text=asked(template)) if template else "",
        request=asked(request),
    )
    return [SystemMessage(rules), HumanMessage(told)]


def _before(turns: Sequence[AnyMessage]) -> str:
    """The last question and what it was answered with: "shorter, please" is about that."""
    said = {type(turn): _lines(without_numbers(turn.text)[:BEFORE_CHARS]) for turn in turns}
    if HumanMessage not in said:
        return ""
    return fill("compose_before", question=said[HumanMessage], answer=said.get(AIMessage, ""))


def _lines(text: str) -> str:
    return "\n".join(map(unfenced, text.splitlines()))


def again(
    prompt: Sequence[AnyMessage], draft: str, unproved: Sequence[str], excess: str | None
) -> list[AnyMessage]:
    """The same prompt with the draft and what is wrong with it."""
    problems = [f"- {excess}"] if excess else []
    problems += [
        f"- The passages do not bear this out, or it has no number behind it: “{sentence}” Say "
        "what they say, with the number, or leave it out."
        for sentence in unproved
    ]
    told = fill("compose_again", problems="\n".join(problems))
    return [*prompt, AIMessage(draft), HumanMessage(told)]


def _form(place: Place | None) -> str:
    match place:
        case "linkedin":
            return fill(
                "compose_linkedin",
                fold=places.LINKEDIN_FOLD,
                most=f"{places.LINKEDIN_MAX - places.LINKEDIN_RESERVE:,}",
                hashtags=places.MAX_HASHTAGS,
            )
        case "x_thread":
            return fill(
                "compose_x_thread",
                fewest=x_thread.MIN_POSTS,
                most=x_thread.MAX_POSTS - 1,
                characters=x_thread.ASKED_WEIGHT,
            )
        case "blog":
            fewest, most = places.BLOG_WORDS
            return fill("compose_blog", fewest=fewest, most=f"{most:,}")
        case "newsletter":
            fewest, most = places.NEWSLETTER_WORDS
            return fill(
                "compose_newsletter",
                subject=places.SUBJECT_MAX,
                preview=places.PREVIEW_MAX,
                fewest=fewest,
                most=most,
            )
    return fill("compose_free", most=f"{places.FREE_MAX_WORDS:,}")
