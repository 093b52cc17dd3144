"""The program that lists playlists and channels, for which a server of the test is YouTube.

python -m tests.youtube_lister SERVER URL LIMIT
"""

import sys
from typing import Any

from yt_dlp import YoutubeDL  # type: ignore[import-untyped]  # yt-dlp comes without types
from yt_dlp.networking import Request  # type: ignore[import-untyped]  # as above

from ingestion.youtube_listing import main, options

YOUTUBE = "https://www.youtube.com"


class YoutubeDLThere(YoutubeDL):  # type: ignore[misc]  # as above
    """Sends what is meant for YouTube to the server of the test."""

    server = ""

    def urlopen(self, req: Any) -> Any:
        request = Request(req) if isinstance(req, str) else req.copy()
        assert request.url.startswith(YOUTUBE), request.url
        request.update(url=request.url.replace(YOUTUBE, self.server, 1))
        return super().urlopen(request)


if __name__ == "__main__":
    YoutubeDLThere.server = sys.argv[1]
    with YoutubeDLThere(options(), auto_init="no_verbose_header") as youtube:
        main(youtube, sys.argv[2:])
