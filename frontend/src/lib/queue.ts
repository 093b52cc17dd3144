import type { Job, Video } from "./types";

/** Each video's last job, by the video's id. */
export type Jobs = Map<string, Job>;

export interface Tally {
  /** How many videos the loading that is under way is about, and how many of them are ready. */
  total: number;
  done: number;
  queued: number;
  running: number;
  paused: number;
  failed: number;
  credits: number;
}

/** What was added at the same time; a file is a batch of its own. */
export const batchOf = (job: Job): string => job.batch_id ?? job.id;

export const isActive = ({ status }: Job): boolean =>
  status === "queued" || status === "running" || status === "paused";

/** Whether `job` says more than what is known: a later job of its video, or a later word of it. */
export function isNews(job: Job, known: Job | undefined): boolean {
  if (!known) return true;
  if (job.id !== known.id) return job.created_at >= known.created_at;
  return job.updated_at >= known.updated_at;
}

/**
 * Counts of the batches that are being loaded. `totals` says how many jobs each of them has: what
 * is not among `jobs` was done before this page was opened, and cancelled ones do not count.
 */
export function tally(jobs: Iterable<Job>, totals: ReadonlyMap<string, number>): Tally {
  const counts = { queued: 0, running: 0, paused: 0, failed: 0, done: 0, cancelled: 0 };
  let total = 0;
  let credits = 0;
  for (const size of totals.values()) total += size;
  for (const job of jobs) {
    if (!totals.has(batchOf(job))) continue;
    counts[job.status] += 1;
    credits += job.credits;
  }
  const { queued, running, paused, failed, cancelled } = counts;
  total -= cancelled;
  const done = Math.max(0, total - queued - running - paused - failed);
  return { total, done, queued, running, paused, failed, credits };
}

/** `412 of 1,000 videos · 3 failed`; at rest `Paused at 412 of 1,000 · 3 failed`. */
export function progressSentence({ total, done, running, queued, failed }: Tally): string {
  const soFar = `${number(done)} of ${number(total)}`;
  const resting = !running && !queued;
  const parts = [resting ? `Paused at ${soFar}` : `${soFar} ${total === 1 ? "video" : "videos"}`];
  if (failed) parts.push(`${number(failed)} failed`);
  return parts.join(" · ");
}

export const number = (value: number): string => value.toLocaleString("en-GB");

/** What a job is doing, in a few words. */
export function stage(job: Job | undefined): string {
  if (!job || job.status === "queued")
    return job?.failure ? "Waiting to try again" : "Waiting its turn";
  if (job.status === "paused") return "Paused";
  switch (job.step) {
    case "fetch":
    case null:
      return "Fetching the captions";
    case "chunk":
      return "Finding the sentences";
    case "embed":
      return "Reading it through";
    case "index":
      return "Making it searchable";
  }
}

const ORDER = { running: 0, paused: 1, queued: 2, failed: 3, cancelled: 3, done: 4 } as const;

/** What is under way first, then what waits, in the order in which it was added. */
export function inOrder(jobs: Iterable<Job>): Job[] {
  return [...jobs].sort(
    (one, other) =>
      ORDER[one.status] - ORDER[other.status] ||
      compare(one.created_at, other.created_at) ||
      compare(one.id, other.id),
  );
}

const compare = (one: string, other: string) => (one < other ? -1 : Number(one > other));

/** Failures that may be gone by now; the others need another video or another file. */
const TIME_HEALS = ["provider_down", "blocked", "quota", "unauthorised", "live", "upcoming"];

export const mayPass = ({ failure }: Job): boolean =>
  failure !== null && TIME_HEALS.includes(failure.reason);

/** A row of the library after its job moved. Another language of a ready video changes nothing. */
export function afterJob(video: Video, job: Job): Video {
  if (video.status === "ready" || job.status === "done") return video;
  const status = STATUS[job.status];
  const failure = status === "failed" ? job.failure : null;
  const { title } = job;
  if (video.status === status && video.title === title && video.failure === failure) return video;
  return { ...video, status, title, failure };
}

const STATUS = {
  queued: "queued",
  paused: "queued",
  running: "loading",
  failed: "failed",
  cancelled: "failed",
} as const;
