import { describe, expect, test } from "vitest";

import {
  isPlainPost,
  isPost,
  placeOfPost,
  postLength,
  postParts,
  receipts,
  xLength,
} from "../src/lib/post";
import { citation, message } from "./messages";

const HOOK = "Salt is no spice.";
const FIRST = "It slows the yeast.";
const SECOND = "Two grams are enough.";

describe("a post", () => {
  test("is what a model composed, not what was quoted for want of one", () => {
    const post = message({ intent: "compose", model: "test/first" });
    expect(isPost({ ...post, citations: [citation({ claim: FIRST })] })).toBe(true);
    expect(isPost({ ...post, citations: [citation({ claim: null })] })).toBe(false);
    expect(isPost({ ...post, model: null })).toBe(false);
    expect(isPost({ ...post, intent: "answer" })).toBe(false);
  });

  test("is for the place that its template names", () => {
    const made = (template: string | null) =>
      placeOfPost({
        metadata: {
          route: { intent: "compose", template },
          passages: [],
          steps: [],
          calls: [],
          first_token_ms: null,
          total_ms: 1,
        },
      });
    expect(made("x_thread")).toBe("x_thread");
    expect(made("0b0e5a0e-0000-4000-8000-000000000000")).toBeNull();
    expect(placeOfPost({ metadata: null })).toBeNull();
  });

  test("is measured in what its place counts; an emoji is two for LinkedIn", () => {
    expect(postLength("linkedin", "a".repeat(1_232) + "🍞")).toEqual({
      text: "1,234 / 3,000",
      over: false,
    });
    expect(postLength("linkedin", "a".repeat(3_001)).over).toBe(true);
    expect(postLength("x_thread", "1/ One\n\n2/ Two\n").text).toBe("2 posts, longest 7 / 280");
    expect(postLength("x_thread", `1/ ${"a".repeat(278)}`).over).toBe(true);
    expect(postLength("blog", "# Salt\n\nIt – slows").text).toBe("3 / 1,200 words");
    expect(postLength("newsletter", "word ".repeat(801)).over).toBe(true);
    expect(postLength(null, "Salt").text).toBe("1 word");
  });

  test("is counted as X does: an address 23, an emoji two, Japanese letters two", () => {
    expect(xLength("Zażółć gęślą")).toBe(12);
    expect(xLength("See https://example.com/a/very/long/path?with=much#more")).toBe(27);
    expect(xLength("👩‍👩‍👧‍👦🇵🇱1️⃣")).toBe(6);
    expect(xLength("塩©")).toBe(3);
  });

  test("is shown as plain text where its place, or the text, knows no Markdown", () => {
    expect(isPlainPost("linkedin", "**bold**")).toBe(true);
    expect(isPlainPost("blog", "words")).toBe(false);
    expect(isPlainPost(null, "words")).toBe(true);
    expect(isPlainPost(null, "## Heading\n\nwords")).toBe(false);
  });
});

describe("receipts", () => {
  test("stand one to a claim, with each place that bears it out", () => {
    const found = receipts([
      citation({ n: 1, claim: FIRST }),
      citation({ n: 2, claim: FIRST }),
      citation({ n: 3, claim: SECOND }),
    ]);
    expect(found.map(({ claim, places }) => [claim, places.map(({ n }) => n)])).toEqual([
      [FIRST, [1, 2]],
      [SECOND, [3]],
    ]);
  });

  test("are found again in the post, which stays whole", () => {
    const content = `${HOOK}\n\n${FIRST} ${SECOND}\n\n#bread`;
    const parts = postParts(content, [FIRST, "Never said.", SECOND]);
    expect(parts.filter(({ claim }) => claim).map(({ text }) => text)).toEqual([FIRST, SECOND]);
    expect(parts.map(({ text }) => text).join("")).toBe(content);
  });
});
