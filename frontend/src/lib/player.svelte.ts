import * as api from "./api";
import { troubleOf, type Trouble } from "./failure";
import { screen } from "./screen.svelte";
import type { Segment, Video } from "./types";

/** A stretch of a video, in seconds. */
export interface Span {
  start_s: number;
  end_s: number;
}

/** The open video: its transcript, where it stands, and what was cited of it. */
class Player {
  video = $state.raw<Video | null>(null);
  segments = $state.raw<Segment[]>([]);
  phase = $state<"closed" | "loading" | "ready" | "failed">("closed");
  trouble = $state<Trouble | null>(null);
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
    try {
      const video = await api.readVideo(id);
      const transcript = video.status === "ready" ? await api.readTranscript(id) : null;
      if (this.#wanted !== id) return;
      this.video = video;
      this.segments = transcript?.segments ?? [];
      this.phase = "ready";
    } catch (error) {
      if (this.#wanted !== id) return;
      this.trouble = troubleOf(error);
      this.phase = "failed";
    }
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
    this.cited = null;
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

export const player = new Player();
