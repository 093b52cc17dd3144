import { expect, test } from "vitest";

import { byDay } from "../src/lib/days";

test("conversations stand under their day, then under their month", () => {
  const now = new Date("2026-03-15T12:00:00");
  const at = (updated_at: string) => ({ updated_at });
  const days = byDay(
    [
      at("2026-03-15T01:00:00"),
      at("2026-03-14T23:00:00"),
      at("2026-03-13T10:00:00"),
      at("2026-03-08T10:00:00"),
      at("2026-03-07T10:00:00"),
      at("2026-02-01T10:00:00"),
      at("2025-02-01T10:00:00"),
    ],
    now,
  );
  expect(days.map(({ name, items }) => [name, items.length])).toEqual([
    ["Today", 1],
    ["Yesterday", 1],
    ["The last 7 days", 2],
    ["March", 1],
    ["February", 1],
    ["February 2025", 1],
  ]);
});
