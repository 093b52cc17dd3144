import { describe, expect, test } from "vitest";

import { partsOf } from "../src/lib/chapters";
import { languageName } from "../src/lib/languages";
import { about, addLabel, priceLines, rounded } from "../src/lib/price";
import { costsAQuestion, namesLanguages, namesList } from "../src/lib/sources";
import { ago } from "../src/lib/time";
import type { Price } from "../src/lib/types";

test.each([
  "https://www.youtube.com/playlist?list=PLabcdefghijklmnop",
  "youtube.com/@thedeep/videos",
  "https://m.youtube.com/channel/UCabcdefghijklmnopqrstuv",
  "https://www.youtube.com/c/TheDeep",
  "@thedeep",
  "PLabcdefghijklmnop",
])("%s is a list", (link) => expect(namesList(link)).toBe(true));

test.each([
  "https://www.youtube.com/watch?v=abcdefghijk&list=PLabcdefghijklmnop",
  "https://youtu.be/abcdefghijk?list=PLabcdefghijklmnop",
  "https://www.youtube.com/shorts/abcdefghijk",
  "https://example.com/@thedeep",
  "abcdefghijk",
  "no link",
])("%s is none", (link) => expect(namesList(link)).toBe(false));

test("a list, or more than ten links, is priced before it is loaded", () => {
  const links = Array.from({ length: 11 }, (_, nth) => `https://youtu.be/abcdefghi${nth}`);
  expect(costsAQuestion(links)).toBe(true);
  expect(costsAQuestion(links.slice(0, 10))).toBe(false);
  expect(costsAQuestion(["@thedeep"])).toBe(true);
});

test("languages are short codes in order", () => {
  expect(["pl", "pl, en", "pt-BR,en"].map(namesLanguages)).toEqual([true, true, true]);
  expect(["polish!", "pl,", "pl en", ""].map(namesLanguages)).toEqual([false, false, false, false]);
  expect(languageName("de")).toBe("German");
  expect(languageName("not a code")).toBe("not a code");
});

describe("a price", () => {
  const price: Price = {
    items: [],
    videos: 1_000,
    known: 50,
    failed: 0,
    new: 950,
    credits: 1_900,
    generated_credits: 19_000,
    embedding_tokens: 2_280_000,
    cost_usd: 0.0456,
    seconds: 1_500,
  };
  const said = (change: Partial<Price>, generate = false) =>
    Object.fromEntries(
      priceLines({ ...price, ...change }, generate).map(({ label, value }) => [label, value]),
    );

  test("says how many, what they cost, and how long they take", () => {
    expect(said({})).toEqual({
      "To load": "950 videos",
      "Known already": "50, free",
      Transcripts: "about 1,900 credits",
      Embedding: "2.3 million tokens, about $0.05",
      Time: "about 25 minutes",
    });
  });

  test("names what is free, and what is not known", () => {
    expect(said({ cost_usd: 0 })["Embedding"]).toBe("2.3 million tokens, free on this machine");
    expect(said({ cost_usd: null })["Embedding"]).toBe("2.3 million tokens, price unknown");
    expect(said({ cost_usd: 0.002 })["Embedding"]).toContain("under $0.01");
    expect(said({ credits: 0 })).not.toHaveProperty("Transcripts");
    expect(said({}, true)["Transcripts"]).toContain("at most 19,000 to make captions");
  });

  test("of known videos alone is nothing", () => {
    expect(said({ new: 0, known: 1_000 })).toEqual({
      "To load": "0 videos",
      "Known already": "1,000, free",
    });
    expect(said({ failed: 3 })["Failed lately"]).toBe("3, not tried again");
    expect(addLabel({ ...price, new: 0 })).toBe("Add all 1,000");
    expect(addLabel({ ...price, new: 1 })).toBe("Load 1 video");
  });

  test("has no more figures than an estimate needs", () => {
    expect([940, 12_345, 999_900, 24_000_000].map(rounded)).toEqual([
      "940",
      "12 thousand",
      "1 million",
      "24 million",
    ]);
    expect([20, 90, 7_200, 400_000].map(about)).toEqual([
      "under a minute",
      "about 2 minutes",
      "about 2 hours",
      "about 5 days",
    ]);
  });
});

describe("chapters", () => {
  const lines = [0, 6, 12, 18, 24].map((start_s) => ({ start_s, duration_s: 6, text: "" }));
  const shape = (chapters: { start_s: number; title: string }[]) =>
    partsOf(lines, chapters).map(({ chapter, first, lines }) => [
      chapter?.title ?? null,
      first,
      lines.length,
    ]);

  test("head the lines that begin in them", () => {
    expect(
      shape([
        { start_s: 0, title: "Flour" },
        { start_s: 12, title: "Salt" },
      ]),
    ).toEqual([
      ["Flour", 0, 2],
      ["Salt", 2, 3],
    ]);
  });

  test("leave what comes before the first without a heading", () => {
    expect(shape([{ start_s: 6, title: "Salt" }])).toEqual([
      [null, 0, 1],
      ["Salt", 1, 4],
    ]);
  });

  test("in which no line begins have no heading", () => {
    const chapters = [
      { start_s: 0, title: "Flour" },
      { start_s: 13, title: "Silence" },
      { start_s: 15, title: "Salt" },
    ];
    expect(shape(chapters)).toEqual([
      ["Flour", 0, 3],
      ["Salt", 3, 2],
    ]);
  });

  test("are not needed", () => expect(shape([])).toEqual([[null, 0, 5]]));
});

test("a moment ago is said in words", () => {
  const now = new Date("2026-03-05T12:00:00Z");
  expect(ago("2026-03-05T11:59:40Z", now)).toBe("just now");
  expect(ago("2026-03-05T11:59:00Z", now)).toBe("1 minute ago");
  expect(ago("2026-03-05T09:00:00Z", now)).toBe("3 hours ago");
});
