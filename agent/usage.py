"""What several model calls used and cost together."""

from agent.state import Usage


def added(*used: Usage | None) -> Usage | None:
    """The sum, null where nothing was used; its cost is null where any call's is not known."""
    calls = [one for one in used if one is not None]
    if not calls:
        return None
    costs = [one["cost_usd"] for one in calls]
    return Usage(
        input_tokens=sum(one["input_tokens"] for one in calls),
        output_tokens=sum(one["output_tokens"] for one in calls),
        cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
    )
