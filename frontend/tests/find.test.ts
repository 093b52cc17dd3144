import { expect, test } from "vitest";

import { pieces, Searchable } from "../src/lib/find";

const LINES = ["Żółty ser i sól", "Salt goes in", "after the first MIXING, then salt"];
const search = new Searchable(LINES);

test("words are found without case and accents, and marked as they are written", () => {
  const found = search.find("zolty");
  expect(found.count).toBe(1);
  expect(pieces(LINES[0]!, found.marks(0))).toEqual([
    { text: "Żółty", nth: 0 },
    { text: " ser i sól", nth: null },
  ]);
  expect(search.find("mixing").line(0)).toBe(2);
});

test("words that a line break parts are found, and marked on both lines", () => {
  const found = search.find("in  after");
  expect(found.count).toBe(1);
  expect(pieces(LINES[1]!, found.marks(1)).at(-1)).toEqual({ text: "in", nth: 0 });
  expect(pieces(LINES[2]!, found.marks(2))[0]).toEqual({ text: "after", nth: 0 });
  expect(found.marks(0)).toEqual([]);
});

test("the search goes on from the line that is being said, and round the end", () => {
  const found = search.find("salt");
  expect(found.count).toBe(2);
  expect(found.from(0)).toBe(0);
  expect(found.from(1)).toBe(0);
  expect(found.from(2)).toBe(1);
  expect(search.find("ser").from(2)).toBe(0);
});

test("nothing is found of nothing, nor where the words are not said", () => {
  expect(search.find("  ").count).toBe(0);
  expect(search.find("pepper").count).toBe(0);
  expect(pieces(LINES[0]!, [])).toEqual([{ text: LINES[0], nth: null }]);
});

test("letters outside the basic plane keep the marks in their places", () => {
  const line = "🍞🍞 bread 🍞 bread";
  const marked = pieces(line, new Searchable([line]).find("bread").marks(0));
  expect(marked.filter(({ nth }) => nth !== null).map(({ text }) => text)).toEqual([
    "bread",
    "bread",
  ]);
});
