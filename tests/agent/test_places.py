import pytest

from agent import x_thread
from agent.drafts import PostPreview, sentences, tidied
from agent.places import (
    FORMS,
    LINKEDIN_MAX,
    NamedVideo,
    blog,
    free,
    linkedin,
    newsletter,
    thread,
)
from agent.x_thread import weight

DEEP = NamedVideo("The deep", "https://www.youtube.com/watch?v=dQw4w9WgXcQ")
FILE = NamedVideo("A file", None)
SENTENCE = "The anglerfish carries a small lamp on its head that glows because of bacteria."
TAGS = "#Ocean #Science #Fish #Deep #Sea #Light"


def streamed(*pieces: str) -> str:
    preview = PostPreview("NO_MATERIAL")
    return "".join(preview.add(piece) for piece in pieces) + preview.end()


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("Hello", 5),
        ("日本語", 6),
        ("👾", 2),
        ("🙋🏽", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🇵🇱🇯🇵", 4),
        ("1️⃣ ©️", 5),
        ("©", 1),
        ("cafe\u0301", 4),
        ("“Quoted” – yes…", 16),
        ("https://example.com", 23),
        ("see https://example.com/" + "x" * 200, 27),
        ("example.com now", 27),
    ],
)
def test_x_counts_characters_its_own_way(text: str, counted: int) -> None:
    assert weight(text) == counted


def test_a_thread_is_numbered_whatever_numbers_the_model_gave() -> None:
    text = "1/ One is here.\n\n(2/3) Two is here.\n\n3. Three is here. 3/3\n\n#Ocean #Deep"
    assert (
        thread(text, [])
        == "1/3 One is here.\n\n2/3 Two is here.\n\n3/3 Three is here.\n#Ocean #Deep"
    )


def test_every_post_of_a_thread_fits_and_ends_with_a_sentence() -> None:
    long = " ".join(f"Number {n} of them: {SENTENCE}" for n in range(8))
    posts = thread(f"{long}\n\n{'深' * 139}。{'海' * 100}。", [DEEP]).split("\n\n")
    assert all(weight(post) <= 280 for post in posts)
    assert all(post[-1] in ".。" for post in posts[:-1])
    assert posts[-1] == f"{len(posts)}/{len(posts)} ▶ The deep {DEEP.url}"
    assert len(posts) <= 10


def test_a_sentence_that_fits_no_post_is_left_out_whole() -> None:
    endless = "word " * 80 + "end."
    made = thread(f"First comes this.\n\n{endless} Short again.\n\nLast comes that.", [])
    assert made == "1/3 First comes this.\n\n2/3 Short again.\n\n3/3 Last comes that."
    assert (
        x_thread.excess(f"Fine.\n\n{endless}")
        == "Post 2 is longer than 260 characters: shorten it."
    )


def test_a_thread_has_three_posts_at_least_and_ten_at_most() -> None:
    assert len(thread("One. Two. Three. Four.", []).split("\n\n")) == 3
    many = "\n\n".join(f"This is post {n}." for n in range(14))
    posts = thread(many, [DEEP]).split("\n\n")
    assert (len(posts), posts[8]) == (10, "9/10 This is post 8.")
    assert x_thread.excess(many) == "There are 14 posts: at most 10 are allowed."


def test_a_linkedin_post_is_plain_text_with_its_hashtags_last() -> None:
    draft = (
        "## **Lamps** in the _dark_\n\n* `One` [thing](https://elsewhere.example)\n+ Another\n"
        f"{TAGS}\n\nSee (https://elsewhere.example/x). What do you think? #Ocean #Sea"
    )
    assert linkedin(tidied(draft, as_plain_text=True), [DEEP, FILE]) == (
        "Lamps in the dark\n\n- One thing\n- Another\n\nSee. What do you think?\n\n"
        f"▶ The deep {DEEP.url}\n▶ A file\n\n#Ocean #Science #Fish #Deep #Sea"
    )


def test_the_hook_of_a_linkedin_post_stands_before_the_fold() -> None:
    first, second = "Who carries a lamp where no light is?", " ".join([SENTENCE] * 3)
    paragraphs = linkedin(f"{first} {second}", []).split("\n\n")
    assert paragraphs[0] == f"{first} {SENTENCE} {SENTENCE}"
    assert len(paragraphs[0]) <= 210


def test_long_paragraphs_of_a_linkedin_post_are_divided_between_sentences() -> None:
    paragraphs = linkedin("Hook.\n\n" + " ".join([SENTENCE] * 9), []).split("\n\n")
    assert all(len(one) <= 320 and one.endswith(".") for one in paragraphs)
    assert " ".join(paragraphs[1:]) == " ".join([SENTENCE] * 9)


def test_a_linkedin_post_that_is_too_long_is_cut_after_a_sentence() -> None:
    text = "\n\n".join(["Why? 🐟", *[f"{SENTENCE} {SENTENCE}"] * 30, TAGS])
    made = linkedin(text, [DEEP])
    assert len(made.encode("utf-16-le")) // 2 <= LINKEDIN_MAX
    assert len(made) > LINKEDIN_MAX - 2 * len(SENTENCE)
    *body, named, tags = made.split("\n\n")
    assert body[-1].endswith(SENTENCE)
    assert (named, tags) == (f"▶ The deep {DEEP.url}", "#Ocean #Science #Fish #Deep #Sea")
    excess = FORMS["linkedin"].excess(text)
    assert excess == f"The post has {len(text) + 1:,} characters; at most 2,600 are allowed."


def test_a_blog_post_has_a_title_headings_and_links_of_ours() -> None:
    made = blog("Lamps of the deep\n\nIt is dark.\n\n## Light\n\nIt glows.", [DEEP, FILE])
    assert made == (
        "# Lamps of the deep\n\nIt is dark.\n\n## Light\n\nIt glows.\n\n---\n\n"
        f"- [The deep]({DEEP.url})\n- A file"
    )


def test_a_blog_post_that_is_too_long_ends_with_a_sentence_and_no_heading() -> None:
    section = f"## Lamps\n\n{' '.join([SENTENCE] * 20)}\n\n"
    made = blog(f"# Title\n\n{section * 5}", [])
    assert 1_150 < len(made.split()) <= 1_200
    assert made.endswith(SENTENCE)
    exact = f"# T\n\n{'Word. ' * 1_198}\n\n## Cut heading\n\nMore words here."
    assert blog(exact, []).endswith("Word.")


def test_a_newsletter_begins_with_its_subject_and_preview() -> None:
    made = newsletter(
        "**Subject line:** Lamps\n*Preview text: Who glows?*\n\nHello.\n\n## A\n\nB.", []
    )
    assert made == "Subject: Lamps\nPreview: Who glows?\n\nHello.\n\n## A\n\nB."


def test_a_newsletter_without_subject_takes_its_first_words() -> None:
    made = newsletter(f"# Lamps\n\n{SENTENCE} More.", [])
    assert made.startswith(f"Subject: Lamps\nPreview: {SENTENCE}\n\n# Lamps")


def test_subject_and_preview_are_cut_after_a_word() -> None:
    made = newsletter(f"Subject: {'lamp ' * 20}\nPreview: {'glow ' * 40}\n\nHello.", [])
    subject, preview, *_ = made.splitlines()
    assert len(subject) <= len("Subject: ") + 60
    assert subject.endswith("lamp…")
    assert len(preview) <= len("Preview: ") + 140
    excess = FORMS["newsletter"].excess(f"Subject: {'lamp ' * 20}\n\nHello.")
    assert excess == "The subject is longer than 60 characters: shorten it."


def test_a_text_of_no_place_keeps_its_form() -> None:
    assert free("- **One**\n- Two", [DEEP]) == "- **One**\n- Two"


def test_a_marker_split_over_tokens_is_never_shown() -> None:
    assert streamed(
        "It ", "glows", " [", "1", "][2", ", 3", "].", " So", " [sic] it", " is [4]"
    ) == ("It glows. So [sic] it is")
    assert streamed("A 【", "2】 b", " [x", "y") == "A b [xy"


def test_a_reply_that_there_is_nothing_to_write_from_is_never_shown() -> None:
    assert streamed("NO", "_MATERIAL", "\n", "because") == ""
    assert streamed("NO", "_MAT", "TER") == "NO_MATTER"


def test_sentences_end_where_they_end_with_their_markers() -> None:
    assert sentences("Dr. No said 3.5 [1]. [2] “Why!” he asked? Yes") == [
        "Dr. No said 3.5 [1]. [2] ",
        "“Why!” he asked? ",
        "Yes",
    ]
    assert sentences("深海は暗い[1]。光る。[2]はい") == ["深海は暗い[1]。", "光る。[2]", "はい"]


def test_links_pictures_and_html_of_a_model_lead_nowhere() -> None:
    draft = (
        "![x](https://evil.example/p.png)\n<img src='https://evil.example'>Read [this]"
        "(https://evil.example) (https://evil.example) at www.evil.example/q , [1](https://x.example)."
    )
    tidy = tidied(draft, as_plain_text=False)
    assert "evil" not in tidy
    assert tidy == "Read this at, [1]."
