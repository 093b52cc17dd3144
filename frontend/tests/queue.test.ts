import { describe, expect, test } from "vitest";

import {
  afterJob,
  inOrder,
  isNews,
  mayPass,
  progressSentence,
  stage,
  tally,
} from "../src/lib/queue";
import type { Failure, Job, Video } from "../src/lib/types";

const failure = (reason: Failure["reason"]): Failure => ({
  reason,
  detail: "It is private.",
  next_step: "Ask its owner.",
});

function job(change: Partial<Job> = {}): Job {
  return {
    id: "job",
    video_id: "video",
    title: "A talk",
    source: "https://youtu.be/abcdefghijk",
    language: null,
    batch_id: "batch",
    status: "queued",
    step: null,
    progress: 0,
    attempt: 0,
    credits: 0,
    failure: null,
    created_at: "2026-03-05T12:00:00Z",
    updated_at: "2026-03-05T12:00:00Z",
    ...change,
  };
}

const named = (id: string, change: Partial<Job> = {}) =>
  job({ id, video_id: `v-${id}`, ...change });

describe("the count of a load", () => {
  test("takes what nobody told of for done before this page was opened", () => {
    const jobs = [named("a", { status: "running" }), named("b"), named("c", { status: "failed" })];
    const counted = tally(jobs, new Map([["batch", 1_000]]));
    expect(counted).toMatchObject({ total: 1_000, done: 997, queued: 1, running: 1, failed: 1 });
  });

  test("leaves out what was cancelled, and jobs of loads that are over", () => {
    const jobs = [
      named("a", { status: "cancelled" }),
      named("b", { status: "done", credits: 2 }),
      named("c", { status: "failed", batch_id: "last year" }),
    ];
    const counted = tally(jobs, new Map([["batch", 2]]));
    expect(counted).toMatchObject({ total: 1, done: 1, failed: 0, credits: 2 });
  });

  test("knows a file, which has no batch, by its own job", () => {
    const jobs = [named("file", { batch_id: null, status: "running" })];
    expect(tally(jobs, new Map([["file", 1]]))).toMatchObject({ total: 1, done: 0, running: 1 });
  });

  test("reads as a sentence", () => {
    const some = {
      total: 1_000,
      done: 412,
      queued: 580,
      running: 5,
      paused: 0,
      failed: 3,
      credits: 0,
    };
    expect(progressSentence(some)).toBe("412 of 1,000 videos · 3 failed");
    expect(progressSentence({ ...some, running: 0, queued: 0, paused: 585 })).toBe(
      "Paused at 412 of 1,000 · 3 failed",
    );
    expect(progressSentence({ ...some, total: 1, done: 0, failed: 0 })).toBe("0 of 1 video");
  });
});

describe("news of a job", () => {
  test("is what was said later, or a later job of the video", () => {
    const known = job({ updated_at: "2026-03-05T12:00:05Z" });
    expect(isNews(job({ updated_at: "2026-03-05T12:00:04Z" }), known)).toBe(false);
    expect(isNews(job({ updated_at: "2026-03-05T12:00:06Z" }), known)).toBe(true);
    expect(isNews(job({ id: "older", created_at: "2026-03-01T00:00:00Z" }), known)).toBe(false);
    expect(isNews(job({ id: "newer", created_at: "2026-03-06T00:00:00Z" }), known)).toBe(true);
  });

  test("lists what runs first, then what waits as it was added", () => {
    const jobs = [
      named("late", { created_at: "2026-03-05T12:00:02Z" }),
      named("early", { created_at: "2026-03-05T12:00:01Z" }),
      named("running", { status: "running", created_at: "2026-03-05T12:00:03Z" }),
      named("paused", { status: "paused" }),
    ];
    expect(inOrder(jobs).map(({ id }) => id)).toEqual(["running", "paused", "early", "late"]);
  });

  test("says what the job is at", () => {
    expect(stage(job({ status: "running", step: "embed" }))).toBe("Reading it through");
    expect(stage(job())).toBe("Waiting its turn");
    expect(stage(job({ failure: failure("provider_down") }))).toBe("Waiting to try again");
  });

  test("tells what time may heal from what it cannot", () => {
    const failed = (reason: Failure["reason"]) =>
      job({ status: "failed", failure: failure(reason) });
    expect(mayPass(failed("quota"))).toBe(true);
    expect(mayPass(failed("private"))).toBe(false);
    expect(mayPass(job())).toBe(false);
  });
});

describe("a row of the library", () => {
  const video = {
    id: "video",
    title: "YouTube video abcdefghijk",
    status: "queued",
    failure: null,
  } as Video;

  test("follows its job, and learns its title from it", () => {
    const running = afterJob(video, job({ status: "running" }));
    expect(running).toMatchObject({ status: "loading", title: "A talk" });
    const failed = afterJob(running, job({ status: "failed", failure: failure("private") }));
    expect(failed).toMatchObject({ status: "failed", failure: failure("private") });
  });

  test("stays ready while another of its languages is loaded, or fails", () => {
    const ready: Video = { ...video, status: "ready" };
    expect(afterJob(ready, job({ status: "running" }))).toBe(ready);
    expect(afterJob(ready, job({ status: "failed", failure: failure("no_captions") }))).toBe(ready);
  });

  test("is the same object when nothing about it changed", () => {
    const waiting: Video = { ...video, title: "A talk" };
    expect(afterJob(waiting, job({ progress: 0.5 }))).toBe(waiting);
  });
});
