import * as api from "./api";
import { troubleOf, type Trouble } from "./failure";
import { queue } from "./queue.svelte";
import { screen } from "./screen.svelte";
import type { Failure, Job, Segment, Video } from "./types";
import type { View } from "./views";

/** A stretch of a video, in seconds. */
export interface Span {
  start_s: number;
  end_s: number;
}

/** The open video: its transcript, where it stands, and what was cited of it. */
class Player {
  video = $state.raw<Video | null>(null);
  segments = $state.raw<Segment[]>([]);
  /** The language of the lines that are shown. */
  language = $state<string | null>(null);
  /** Another language that is being loaded, and why one could not be. */
  awaited = $state<string | null>(null);
  refusal = $state.raw<Pick<Failure, "detail" | "next_step"> | null>(null);
  phase = $state<"closed" | "loading" | "ready" | "failed">("closed");
  trouble = $state<Trouble | null>(null);
  /** Which view of the video is open; another video is shown in the same one. */
  view = $state<View>("transcript");
  position_s = $state(0);
  cited = $state.raw<Span | null>(null);
  /** The last place asked for; each request is a new object, so asking twice seeks twice. */
  seek = $state.raw<{ at_s: number } | null>(null);
  /** What was asked for last: an answer that comes after another was asked for is too late. */
  #wanted: string | null = null;
  current = $derived(lineAt(this.segments, this.position_s));

  /** Open a video and play from a second, if one is named; without a reload when it is open. */
  async open(id: string, at_s: number | null = null, cited: Span | null = null): Promise<void> {
    screen.show("video");
    const isOpen = this.video?.id === id;
    this.cited = cited;
    if (isOpen && this.phase === "ready") {
      if (at_s !== null) this.seekTo(at_s);
      return;
    }
    this.position_s = at_s ?? 0;
    this.seek = at_s === null ? null : { at_s };
    await this.#load(id);
  }

  async #load(id: string): Promise<void> {
    this.#wanted = id;
    this.phase = "loading";
    if (this.video?.id !== id) this.video = null;
    this.segments = [];
    this.awaited = this.refusal = null;
    try {
      await this.#read(id);
      if (this.#wanted === id) this.phase = "ready";
    } catch (error) {
      if (this.#wanted !== id) return;
      this.trouble = troubleOf(error);
      this.phase = "failed";
    }
  }

  /** Read the video again, and its lines in a language or in the one it was loaded in first. */
  async #read(id: string, language?: string): Promise<void> {
    const video = await api.readVideo(id);
    const transcript = video.status === "ready" ? await api.readTranscript(id, language) : null;
    if (this.#wanted !== id) return;
    this.video = video;
    this.segments = transcript?.segments ?? [];
    this.language = transcript?.language ?? null;
  }

  /** Show the lines in another language that is loaded. */
  async show(language: string): Promise<void> {
    if (!this.video) return;
    this.refusal = null;
    try {
      await this.#read(this.video.id, language);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Load another language of the open video; its lines are shown when they are here. */
  async load(language: string): Promise<void> {
    const { video } = this;
    if (!video?.url) return;
    this.awaited = language;
    this.refusal = null;
    try {
      const { items } = await api.addVideos({ urls: [video.url], language });
      if (this.video?.id !== video.id) return;
      if (items[0]?.failure) this.#end(items[0].failure);
      else if (items[0]?.status === "ready" && !items[0].job_id) await this.#arrived(video.id);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** What of the open video was being loaded may be here, or may have failed. */
  hear(jobs: readonly Job[]): void {
    const { video } = this;
    const job = video && jobs.find(({ video_id }) => video_id === video.id);
    if (!job || (!this.awaited && video.status === "ready")) return;
    if (job.status === "done") void this.#arrived(video.id);
    else if (job.failure && (job.status === "failed" || job.status === "cancelled"))
      this.#end(job.failure);
  }

  async #arrived(id: string): Promise<void> {
    try {
      const language = this.awaited;
      this.awaited = null;
      await this.#read(id);
      const got = this.video?.languages.find((one) => speaks(one.language, language));
      if (got && got.language !== this.language) await this.#read(id, got.language);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #end(failure: Failure): void {
    this.refusal = this.awaited ? failure : null;
    this.awaited = null;
  }

  #refuse(error: unknown): void {
    this.awaited = null;
    this.refusal = { detail: troubleOf(error).sentence, next_step: "" };
  }

  seekTo(at_s: number): void {
    this.position_s = at_s;
    this.seek = { at_s };
  }

  close(): void {
    this.phase = "closed";
    this.#wanted = null;
    this.video = null;
    this.segments = [];
    this.cited = this.awaited = this.refusal = null;
    screen.show("chat");
  }
}

/** The index of the line being said at a second, or the last one before it; -1 before the first. */
export function lineAt(segments: readonly Segment[], seconds: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((segments[middle]?.start_s ?? Infinity) <= seconds + 0.05) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function overlaps(segment: Segment, span: Span | null): boolean {
  if (!span) return false;
  const end_s = segment.start_s + segment.duration_s;
  return segment.start_s < Math.max(span.end_s, span.start_s + 0.1) && end_s > span.start_s + 0.05;
}

/** Whether captions in one language serve who asked for another: `de-AT` for `de`. */
function speaks(language: string, wanted: string | null): boolean {
  return language === wanted || language.split("-")[0] === wanted?.split("-")[0];
}

export const player = new Player();
queue.listen((jobs) => player.hear(jobs));
