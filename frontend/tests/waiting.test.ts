import { expect, test } from "vitest";

import { ApiError } from "../src/lib/api";
import { troubleOf } from "../src/lib/failure";
import { advance, newRun } from "../src/lib/run";
import { instantIn, whenAgain } from "../src/lib/waiting";

const NOON = new Date(2026, 10, 28, 12, 0, 0).getTime();
const again = (seconds: number) => whenAgain(instantIn(seconds, NOON) ?? new Date(0), NOON);

test("a short wait is counted in seconds, a longer one has its time of day", () => {
  expect([again(12), again(90), again(91), again(3 * 3600)]).toEqual([
    "in 12 s",
    "in 90 s",
    "at 12:01",
    "at 15:00",
  ]);
  expect(again(20 * 3600)).toBe("on Sunday at 08:00");
});

test("when the wait is over nothing is said of it", () => {
  expect(whenAgain(new Date(NOON), NOON)).toBe("");
  expect(instantIn(null)).toBeNull();
});

test("what was refused for being too much knows from when on it may be tried again", () => {
  const trouble = troubleOf(new ApiError(429, "too_many_requests", "That is more than …", 30));
  expect(trouble.retryable).toBe(true);
  expect(trouble.from?.getTime()).toBeGreaterThan(Date.now() + 25_000);
  const run = advance(newRun("How deep?"), {
    type: "error",
    error: "too_many_requests",
    detail: "That is more than 60 questions a minute.",
    retryable: true,
    retry_after_s: 30,
    run_id: null,
    seq: 0,
  });
  expect(run.error?.from?.getTime()).toBeGreaterThan(Date.now() + 25_000);
});
