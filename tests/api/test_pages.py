from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.pages import add_pages


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for page in ("", "c", "v", "settings", "admin"):
        (tmp_path / page).mkdir(exist_ok=True)
        (tmp_path / page / "index.html").write_text(f"page {page}")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/", ""),
        ("/c/some-id", "c"),
        ("/v/some-id?t=60&view=summary", "v"),
        ("/settings", "settings"),
        ("/admin", "admin"),
    ],
)
async def test_an_address_leads_to_its_page_without_a_detour(
    built: Path, path: str, page: str
) -> None:
    app = FastAPI()
    add_pages(app, built)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://talker") as client:
        response = await client.get(path)
    assert response.status_code == 200
    assert response.text == f"page {page}"
    assert response.headers["cache-control"] == "no-cache"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
