import { expect, test } from "vitest";

import { asWidths, fitting } from "../src/lib/panes";

test("a pane leaves the others their room, and stays wide enough to read", () => {
  expect(fitting("video", 500.4, 1440)).toBe(500);
  expect(fitting("video", 5_000, 1440)).toBe(720);
  expect(fitting("library", 10, 1440)).toBe(240);
  expect(fitting("library", 400, 700)).toBe(240);
});

test("widths that this browser kept are read as far as they make sense", () => {
  expect(asWidths({ library: 300, video: "wide", other: 1 })).toEqual({ library: 300 });
  expect(asWidths(null)).toEqual({});
});
