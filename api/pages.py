"""The built frontend, served by the app itself; in production Caddy does this."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

BUILT = Path(__file__).parent.parent / "frontend" / "dist"
SHELLS = ("c", "v")
"""Pages that read their address in the browser: one file answers for all."""

PAGES = ("settings", "admin")
"""Pages that stand for themselves, here without the redirect to a slash."""

POLICY = "frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
"""What a page's own policy, a meta tag with hashes, cannot say."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    # YouTube's player refuses to play (error 153) under a stricter one.
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}
NEVER_CHANGES = "public, max-age=31536000, immutable"


class Pages(StaticFiles):
    """Static files; those under `_astro/` carry a hash in their names and are kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        response.headers["Cache-Control"] = (
            NEVER_CHANGES if path.startswith("_astro/") else "no-cache"
        )
        return response


def add_pages(app: FastAPI, built: Path = BUILT) -> None:
    """Serve the pages where the frontend is built; otherwise `/` leads to the API's own pages."""
    app.add_api_route("/docs", lambda: RedirectResponse("/api/docs"), include_in_schema=False)
    if not (built / "index.html").exists():
        app.add_api_route("/", lambda: RedirectResponse("/api/docs"), include_in_schema=False)
        return
    paths = {f"/{shell}/{{id}}": shell for shell in SHELLS} | {f"/{page}": page for page in PAGES}
    for path, page in paths.items():
        app.add_api_route(
            path,
            lambda file=built / page / "index.html": FileResponse(
                file, headers={**HEADERS, "Cache-Control": "no-cache"}
            ),
            include_in_schema=False,
        )
    app.mount("/", Pages(directory=built, html=True))
