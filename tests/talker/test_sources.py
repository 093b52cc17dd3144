"""Which links name a video, a playlist or a channel."""

import pytest

from talker.errors import LoadingFailed
from talker.sources import ListSource, VideoSource, is_file, source_of, youtube_id

ID = "dQw4w9WgXcQ"
PLAYLIST = "PLZHQObOWTQDNU6R1_67000Dx_ZCJB-3pi"
CHANNEL = "UCYO_jab_esuFRV4b17AJtAw"


@pytest.mark.parametrize(
    "source",
    [
        ID,
        f"  {ID}\n",
        f"https://www.youtube.com/watch?v={ID}",
        f"http://youtube.com/watch?v={ID}&list=PLabc&index=3&t=42s",
        f"https://www.youtube.com/watch?app=desktop&v={ID}&pp=ygUEdGVzdA%3D%3D",
        f"https://www.youtube.com/watch?v={ID}#t=1m2s",
        f"https://m.youtube.com/watch?v={ID}&feature=share",
        f"https://music.youtube.com/watch?v={ID}&si=abc",
        f"https://youtu.be/{ID}",
        f"https://youtu.be/{ID}?si=Xyz&t=12",
        f"youtu.be/{ID}",
        f"www.youtube.com/watch?v={ID}",
        f"youtube.com/shorts/{ID}",
        f"https://www.youtube.com/shorts/{ID}?feature=share",
        f"https://www.youtube.com/live/{ID}?si=abc",
        f"https://www.youtube.com/embed/{ID}?start=3",
        f"https://www.youtube-nocookie.com/embed/{ID}",
        f"//www.youtube.com/embed/{ID}",
        f"https://www.youtube.com/v/{ID}",
        f"https://www.youtube.com/vi/{ID}",
        f"https://www.youtube.com/e/{ID}",
        f"https://i.ytimg.com/vi/{ID}/hqdefault.jpg",
        f"HTTPS://WWW.YOUTUBE.COM/watch?v={ID}",
        f"<https://youtu.be/{ID}>",
        f"https://www.youtube.com/attribution_link?a=x&u=%2Fwatch%3Fv%3D{ID}%26feature%3Dshare",
    ],
)
def test_every_form_of_a_link_names_its_video(source: str) -> None:
    assert youtube_id(source) == ID
    assert source_of(source) == VideoSource(ID)


@pytest.mark.parametrize(
    ("source", "list_id"),
    [
        (f"https://www.youtube.com/playlist?list={PLAYLIST}", PLAYLIST),
        (f"https://music.youtube.com/playlist?list={PLAYLIST}&si=abc", PLAYLIST),
        (f"m.youtube.com/playlist?app=desktop&list={PLAYLIST}", PLAYLIST),
        (f"https://www.youtube.com/embed/videoseries?si=x&list={PLAYLIST}", PLAYLIST),
        (f"https://www.youtube.com/embed?listType=playlist&list={PLAYLIST}", PLAYLIST),
        (f"https://www.youtube.com/watch?list={PLAYLIST}", PLAYLIST),
        (f" {PLAYLIST}\n", PLAYLIST),
        ("UUYO_jab_esuFRV4b17AJtAw", "UUYO_jab_esuFRV4b17AJtAw"),
        (
            "OLAK5uy_kmB4q-pBSkTXrSFEVGDMPUaqzTFxWsWU0",
            "OLAK5uy_kmB4q-pBSkTXrSFEVGDMPUaqzTFxWsWU0",
        ),
    ],
)
def test_every_form_of_a_playlist_is_known(source: str, list_id: str) -> None:
    assert source_of(source) == ListSource("playlist", list_id)


@pytest.mark.parametrize(
    ("source", "channel"),
    [
        (f"https://www.youtube.com/channel/{CHANNEL}", CHANNEL),
        (f"https://www.youtube.com/channel/{CHANNEL}/videos?view=0", CHANNEL),
        (CHANNEL, CHANNEL),
        ("https://www.youtube.com/@3Blue1Brown", "@3blue1brown"),
        ("https://www.youtube.com/@3blue1brown/shorts", "@3blue1brown"),
        ("youtube.com/@3blue1brown/featured?si=abc", "@3blue1brown"),
        ("@3blue1brown", "@3blue1brown"),
        ("@zażółć.gęślą", "@zażółć.gęślą"),
        ("https://www.youtube.com/@%E3%83%86%E3%82%B9%E3%83%88/streams", "@テスト"),
        ("https://www.youtube.com/c/3Blue1Brown/playlists", "c/3Blue1Brown"),
        ("https://www.youtube.com/c/Krak%C3%B3w", "c/Kraków"),
        ("https://www.youtube.com/user/TEDxTalks", "user/TEDxTalks"),
    ],
)
def test_every_form_of_a_channel_means_the_whole_channel(source: str, channel: str) -> None:
    assert source_of(source) == ListSource("channel", channel)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("https://www.youtube.com/playlist?list=RDdQw4w9WgXcQ", "is a mix"),
        ("https://www.youtube.com/playlist?list=WL", "list of your own account"),
        ("https://www.youtube.com/playlist?list=LL", "list of your own account"),
        ("https://www.youtube.com/playlist", "a page of YouTube"),
        ("https://www.youtube.com/channel/UCshort", "a page of YouTube"),
        ("https://www.youtube.com/@", "a page of YouTube"),
        ("@two words", "not a link to a YouTube video"),
        ("PLEASE", "not a link to a YouTube video"),
    ],
)
def test_lists_that_cannot_be_read_say_why(source: str, says: str) -> None:
    with pytest.raises(LoadingFailed, match=says) as caught:
        source_of(source)
    assert caught.value.reason == "not_a_video"


def test_a_list_is_found_again_under_its_own_address() -> None:
    sources = [
        ListSource("playlist", PLAYLIST),
        ListSource("channel", CHANNEL),
        ListSource("channel", "@3blue1brown"),
        ListSource("channel", "c/3Blue1Brown"),
    ]
    assert [source_of(source.url) for source in sources] == sources


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("https://www.youtube.com/playlist?list=PLabc", "is a playlist"),
        ("https://www.youtube.com/watch?list=PLabc", "is a playlist"),
        ("https://www.youtube.com/embed/videoseries?list=PLabc", "is a playlist"),
        ("https://www.youtube.com/@3blue1brown", "is a channel"),
        ("https://www.youtube.com/channel/UCYO_jab_esuFRV4b17AJtAw/videos", "is a channel"),
        ("https://www.youtube.com/c/3blue1brown", "is a channel"),
        ("https://www.youtube.com/", "a page of YouTube"),
        ("https://www.youtube.com/watch?v=short", "is not an id"),
        ("https://youtu.be/", "a page of YouTube"),
        ("https://vimeo.com/12345", "not a link to a YouTube video"),
        (f"https://youtube.com.evil.example/watch?v={ID}", "not a link to a YouTube video"),
        (f"https://evil.example/?u=youtube.com/watch?v={ID}", "not a link to a YouTube video"),
        (f"ftp://youtube.com/watch?v={ID}", "not a link to a YouTube video"),
        ("http://[::1", "not a link to a YouTube video"),
        ("hello world", "not a link to a YouTube video"),
        ("", "not a link to a YouTube video"),
        ("x" * 10_000, "not a link to a YouTube video"),
    ],
)
def test_what_is_no_video_is_said_to_be_none(source: str, says: str) -> None:
    with pytest.raises(LoadingFailed, match=says) as caught:
        youtube_id(source)
    assert caught.value.reason == "not_a_video"
    assert len(caught.value.detail) < 400


def test_a_playlists_failure_says_what_to_do() -> None:
    with pytest.raises(LoadingFailed) as caught:
        youtube_id("https://www.youtube.com/playlist?list=PLabc")
    assert "links of its videos" in caught.value.next_step


def test_caption_files_are_told_from_links() -> None:
    assert is_file("talks/one.srt")
    assert is_file("ONE.VTT")
    assert not is_file(f"https://youtu.be/{ID}")
    assert not is_file("https://example.org/one.srt")
    assert not is_file(ID)
