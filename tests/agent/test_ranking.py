from uuid import UUID, uuid4

import pytest

from agent.ranking import MAX_STRETCH_MS, SCALES, answers_question, join, rank, shifted_cosine
from talker.embeddings import LOCAL_MODEL
from talker.points import Candidate, IndexedChunk

VIDEO = uuid4()
SPREAD = SCALES[LOCAL_MODEL].spread


def candidate(
    position: int,
    cosine: float | None,
    words: float | None = None,
    *,
    language: str = "en",
    video_id: UUID = VIDEO,
    length_ms: int = 20_000,
) -> Candidate:
    start_ms = position * length_ms
    chunk = IndexedChunk(
        uuid4(), video_id, position, language, start_ms, start_ms + length_ms, f"chunk {position}"
    )
    return Candidate(chunk, cosine, words)


def order(*candidates: Candidate, model: str = LOCAL_MODEL) -> list[int]:
    return [one.candidate.chunk.position for one in rank(candidates, "en", model)]


def languages(*candidates: Candidate) -> list[tuple[str, list[int]]]:
    """Each stretch's language and positions."""
    return [
        (one.chunks[0].language, [chunk.position for chunk in one.chunks])
        for one in join(rank(candidates, "en", LOCAL_MODEL), 10)
    ]


def stretches(*candidates: Candidate, limit: int = 10) -> list[list[int]]:
    joined = join(rank(candidates, "en", LOCAL_MODEL), limit)
    return [[chunk.position for chunk in stretch.chunks] for stretch in joined]


def test_the_nearest_is_first() -> None:
    assert order(candidate(0, 0.80), candidate(10, 0.90), candidate(20, 0.85)) == [10, 20, 0]


def test_words_decide_between_near_equals() -> None:
    assert order(candidate(0, 0.851), candidate(10, 0.85, words=8.0)) == [10, 0]


def test_the_questions_words_make_up_for_half_a_spread() -> None:
    further = candidate(10, 0.85, words=8.0)
    assert order(candidate(0, 0.85 + SPREAD / 2), further) == [10, 0]
    assert order(candidate(0, 0.85 + SPREAD), further) == [0, 10]


def test_words_do_not_outweigh_meaning() -> None:
    assert order(candidate(0, 0.90), candidate(10, 0.85, words=12.0)) == [0, 10]


def test_a_chunk_in_good_surroundings_is_before_a_lone_one() -> None:
    far = candidate(30, 0.80)
    assert order(candidate(0, 0.851), candidate(10, 0.85), candidate(11, 0.849), far)[0] == 10


def test_neighbours_are_of_the_same_video() -> None:
    alone = candidate(11, 0.849, video_id=uuid4())
    assert order(candidate(0, 0.851), candidate(10, 0.85), alone, candidate(30, 0.80))[0] == 0


def test_neighbours_are_of_the_same_language() -> None:
    german = candidate(11, 0.82, language="de")
    assert order(candidate(0, 0.851), candidate(10, 0.85), german, candidate(30, 0.80))[0] == 0


def test_another_language_is_not_behind_for_being_another() -> None:
    assert order(candidate(0, 0.85), candidate(10, 0.84, language="de")) == [10, 0]


def test_a_model_of_unknown_scale_is_ranked_by_its_own_spread() -> None:
    found = [candidate(0, 0.2), candidate(10, 0.6), candidate(20, 0.4)]
    assert order(*found, model="openai/text-embedding-3-small") == [10, 20, 0]
    assert shifted_cosine(candidate(0, 0.5, language="de"), "en", "another") == 0.5


def test_one_candidate_or_none_is_no_special_case() -> None:
    assert order(candidate(3, 0.8), model="another") == [3]
    assert rank([], "en", LOCAL_MODEL) == []
    assert rank([candidate(0, None, 2.0)], "en", LOCAL_MODEL) == []


def test_neighbours_that_score_alike_become_one_passage() -> None:
    assert stretches(candidate(4, 0.86), candidate(5, 0.85), candidate(20, 0.80)) == [[4, 5], [20]]


def test_the_words_after_the_best_join_sooner_than_those_before() -> None:
    before, best, after = candidate(4, 0.86 - 1.2 * SPREAD), candidate(5, 0.86), 1.2 * SPREAD
    assert stretches(before, best, candidate(6, 0.86 - after)) == [[5, 6], [4]]


def test_a_passage_is_never_too_long_unless_it_is_one_chunk() -> None:
    row = [candidate(n, 0.86) for n in range(6)]
    assert all(len(one) * 20_000 <= MAX_STRETCH_MS for one in stretches(*row))
    assert sorted(n for one in stretches(*row) for n in one) == list(range(6))
    assert stretches(candidate(0, 0.86, length_ms=90_000)) == [[0]]


def test_the_same_chunk_number_in_two_languages_is_two_chunks() -> None:
    german = candidate(4, 0.85, language="de", length_ms=7_000)
    assert len(rank([candidate(4, 0.86), german], "en", LOCAL_MODEL)) == 2
    assert languages(candidate(4, 0.86), german) == [("de", [4]), ("en", [4])]


def test_a_moment_in_two_languages_is_one_passage_the_better() -> None:
    english, german = candidate(4, 0.86), candidate(4, 0.80, language="de")
    assert languages(german, english) == [("en", [4])]
    assert languages(candidate(4, 0.80), candidate(4, 0.86, language="de")) == [("de", [4])]


def test_half_of_the_shorter_makes_it_the_same_moment() -> None:
    english = candidate(0, 0.86, length_ms=30_000)
    assert languages(english, candidate(2, 0.80, language="de", length_ms=12_000)) == [("en", [0])]
    less = candidate(2, 0.80, language="de", length_ms=13_000)
    assert languages(english, less) == [("en", [0]), ("de", [2])]


def test_what_only_one_language_says_stays_though_its_neighbour_goes() -> None:
    german = [candidate(n, 0.82, language="de") for n in (4, 5)]
    assert languages(candidate(4, 0.90), *german) == [("en", [4]), ("de", [5])]


def test_the_same_time_in_another_video_is_another_moment() -> None:
    other = candidate(4, 0.80, language="de", video_id=uuid4())
    assert languages(candidate(4, 0.86), other) == [("en", [4]), ("de", [4])]


def test_as_many_passages_as_asked_for() -> None:
    row = [candidate(10 * n, 0.86) for n in range(6)]
    assert len(stretches(*row, limit=3)) == 3


@pytest.mark.parametrize(("cosines", "answers"), [([0.83, 0.87], True), ([0.80, 0.83], False)])
def test_only_near_passages_may_answer(cosines: list[float], answers: bool) -> None:
    assert answers_question(cosines) is answers


def test_with_nothing_to_judge_by_passages_may_answer() -> None:
    assert answers_question([])
