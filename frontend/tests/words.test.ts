import { expect, test } from "vitest";

import { placeOf } from "../src/lib/address.svelte";
import { lineAt, overlaps } from "../src/lib/player.svelte";
import { namesNothing, splitLinks } from "../src/lib/sources";
import { clock, day, spoken } from "../src/lib/time";

const at = (path: string) => new URL(path, "http://talker.test");

test.each([
  [0, "0:00"],
  [59.99, "0:59"],
  [247, "4:07"],
  [3729, "1:02:09"],
  [-3, "0:00"],
])("%d seconds read as %s", (seconds, expected) => expect(clock(seconds)).toBe(expected));

test("seconds are spoken in words", () => {
  expect(spoken(3661)).toBe("1 hour 1 minute 1 second");
  expect(spoken(120)).toBe("2 minutes");
  expect(spoken(0.4)).toBe("0 seconds");
});

test("an instant is named by its day", () => {
  const now = new Date("2026-03-05T12:00:00");
  expect(day("2026-03-05T01:00:00", now)).toBe("today");
  expect(day("2026-03-04T23:00:00", now)).toBe("yesterday");
  expect(day("2026-01-02T23:00:00", now)).toBe("2 Jan");
  expect(day("2024-01-02T23:00:00", now)).toBe("2 Jan 2024");
});

test("an address names a conversation, or a video and perhaps a second of it", () => {
  expect(placeOf(at("/"))).toEqual({ page: "workspace" });
  expect(placeOf(at("/c/abc"))).toEqual({ page: "conversation", id: "abc", message: null });
  expect(placeOf(at("/c/abc#m1"))).toMatchObject({ id: "abc", message: "m1" });
  expect(placeOf(at("/v/abc"))).toMatchObject({ page: "video", id: "abc", at_s: null });
  expect(placeOf(at("/v/abc/?t=90s"))).toMatchObject({ page: "video", id: "abc", at_s: 90 });
  expect(placeOf(at("/v/abc?t=soon"))).toMatchObject({ page: "video", id: "abc", at_s: null });
});

test("pasted links are split and said once", () => {
  expect(splitLinks(" https://a\nhttps://b, https://a ")).toEqual(["https://a", "https://b"]);
});

test("lines and times alone do not name their video, JSON does", () => {
  const names = ["a.SRT", "a.vtt", "a.txt", "a.en.json3", "a.json"];
  expect(names.map(namesNothing)).toEqual([true, true, true, true, false]);
  expect(namesNothing("Leaves [dQw4w9WgXcQ].en.json3")).toBe(false);
});

const segments = [1, 4, 9].map((start_s) => ({ start_s, duration_s: 2, text: "" }));

test("the current line is the last that has begun", () => {
  expect([0, 1, 3.9, 4, 100].map((second) => lineAt(segments, second))).toEqual([-1, 0, 0, 1, 2]);
});

test("a citation marks the lines it overlaps, not those it only touches", () => {
  const marks = (start_s: number, end_s: number) =>
    segments.map((one) => overlaps(one, { start_s, end_s }));
  expect(marks(4, 6)).toEqual([false, true, false]);
  expect(marks(2, 9.5)).toEqual([true, true, true]);
  expect(marks(3, 4)).toEqual([false, false, false]);
  expect(marks(9, 9)).toEqual([false, false, true]);
});
