import { describe, expect, test } from "vitest";

import { PAGE, pagesOf, place, rowsIn, rowTops } from "../src/lib/pages";

describe("a list of which some pages are here", () => {
  test("is as long as the server says, and takes a page where it belongs", () => {
    const list = place<string>([], ["a", "b"], 0, 5);
    expect(list).toEqual(["a", "b", undefined, undefined, undefined]);
    expect(place(list, ["d", "e"], 3, 5)).toEqual(["a", "b", undefined, "d", "e"]);
  });

  test("shrinks and grows with what the server has", () => {
    const list = place(["a", "b", "c"], ["A"], 0, 2);
    expect(list).toEqual(["A", "b"]);
    expect(place(list, ["new", "A", "b"], 0, 3)).toEqual(["new", "A", "b"]);
  });

  test("is asked for by whole pages", () => {
    expect(pagesOf(0, 1)).toEqual([0]);
    expect(pagesOf(PAGE - 1, PAGE + 1)).toEqual([0, PAGE]);
    expect(pagesOf(2 * PAGE, 2 * PAGE)).toEqual([]);
  });
});

describe("the rows in a window", () => {
  test("are those that it shows, and a few more", () => {
    const tops = rowTops(Array.from({ length: 5_000 }, () => 64));
    expect(tops.at(-1)).toBe(320_000);
    expect(rowsIn(tops, 64 * 1_000, 640, 0)).toEqual({ from: 1_000, to: 1_011 });
    expect(rowsIn(tops, 0, 640, 6)).toEqual({ from: 0, to: 17 });
    expect(rowsIn(tops, 320_000 - 640, 640, 6).to).toBe(5_000);
  });

  test("may differ in height", () => {
    expect(rowsIn(rowTops([64, 150, 64, 64]), 200, 50, 0)).toEqual({ from: 1, to: 3 });
  });

  test("are none in an empty list", () => {
    expect(rowsIn(rowTops([]), 0, 500, 6)).toEqual({ from: 0, to: 0 });
  });
});
