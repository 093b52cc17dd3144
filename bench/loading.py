"""Loading, beside what the embedding model alone takes for the same chunks."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from bench.programs import BIN
from bench.report import Row
from ingestion.chunking import chunk
from talker.embeddings import open_embeddings
from talker.sentences import TimedText
from talker.settings import Settings

SECTION = "loading"
CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
SAMPLE = Path(__file__).parents[1] / "talker" / "sample" / "sample.json"
WANTED_S = 3600.0


def speech() -> list[dict[str, object]]:
    """About an hour of speech: real captions where they are at hand, else the sample again."""
    files = sorted(CORPUS.glob("*.json")) or [SAMPLE]
    talks: list[dict[str, object]] = []
    seconds = 0.0
    while seconds < WANTED_S:
        talk = json.loads(files[len(talks) % len(files)].read_text(encoding="utf-8"))
        talk["title"] = f"{talk['title']} {len(talks)}"
        talk["video_id"] = talk["url"] = None
        talk["segments"][0]["text"] += f" {len(talks)}"  # else the same file is one video
        talks.append(talk)
        seconds += talk["duration_s"]
    return talks


async def run() -> list[Row]:
    talks = speech()
    hours = sum(float(str(talk["duration_s"])) for talk in talks) / 3600
    alone_s = _embedding_alone(talks) / hours
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        files = []
        for number, talk in enumerate(talks):
            file = Path(folder) / f"talk-{number}.json"
            file.write_text(json.dumps(talk), encoding="utf-8")
            files.append(file)
        env = {**os.environ, "DATA_DIR": f"{folder}/data"}
        first_s, again_s = _ingest(files[:1], env), _ingest(files[:1], env)
        # What a start of the program takes is not loading: it is measured with a known video.
        whole_s = _ingest(files[1:], env) - again_s
    loaded = sum(float(str(talk["duration_s"])) for talk in talks[1:]) / 3600
    return [
        Row(
            SECTION,
            "an hour of speech",
            whole_s / loaded,
            "s",
            alone_s,
            "the embedding model alone",
            "ratio at most 1.25",
        ),
        Row(SECTION, "first video, start of the program and its servers included", first_s, "s"),
        Row(SECTION, "a known video, start of the program included", again_s, "s"),
    ]


def _embedding_alone(talks: list[dict[str, object]]) -> float:
    """Seconds that the local model takes for the talks' chunks, each talk's in one call."""
    embeddings = open_embeddings(Settings(_env_file=None))
    texts = [[one.text for one in chunk(segments_of(talk))] for talk in talks]
    embeddings.embed_documents(texts[0][:2])
    began = time.perf_counter()
    for some in texts:
        embeddings.embed_documents(some)
    return time.perf_counter() - began


def segments_of(talk: dict[str, object]) -> list[TimedText]:
    segments = talk["segments"]
    assert isinstance(segments, list)
    return [
        TimedText(round(s["start_s"] * 1000), round(s["duration_s"] * 1000), s["text"])
        for s in segments
    ]


def _ingest(files: list[Path], env: dict[str, str]) -> float:
    began = time.perf_counter()
    command = [str(BIN / "ingest"), "add", *map(str, files)]
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
