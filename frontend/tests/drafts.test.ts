// @vitest-environment jsdom
import { beforeEach, expect, test } from "vitest";

import { BLANK, keepDraft, readDraft } from "../src/lib/drafts";

beforeEach(() => localStorage.clear());

test("each conversation has its own draft, and the page without one too", () => {
  keepDraft("a", { ...BLANK, text: "Why?" });
  keepDraft(null, { ...BLANK, videos: [{ id: "v", name: "Bread" }] });
  expect(readDraft("a").text).toBe("Why?");
  expect(readDraft(null).videos).toEqual([{ id: "v", name: "Bread" }]);
  expect(readDraft("b")).toEqual(BLANK);
});

test("a draft that says nothing leaves nothing behind", () => {
  keepDraft("a", { ...BLANK, text: "Why?" });
  keepDraft("a", BLANK);
  expect(localStorage.length).toBe(0);
});

test("the drafts touched last are kept, none of them without end", () => {
  for (let at = 0; at < 30; at++) keepDraft(`${at}`, { ...BLANK, text: "x".repeat(30_000) });
  expect(readDraft("0")).toEqual(BLANK);
  expect(readDraft("29").text).toHaveLength(20_000);
});
