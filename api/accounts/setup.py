"""The way in where nobody administers yet."""

from api.accounts import links
from api.accounts.links import MadeLink
from api.accounts.service import Accounts
from talker.resources import Resources


async def make_setup_link(resources: Resources, accounts: Accounts | None) -> MadeLink | None:
    """A link for the first administrator; null where there is one, or no accounts at all."""
    if accounts is None:
        return None
    async with resources.sessions.begin() as session:
        return await links.setup(session, accounts.tokens)
