import { describe, expect, test } from "vitest";

import { plainAnswer, plainText } from "../src/lib/plain";
import { citation } from "./messages";

describe("an answer that is copied", () => {
  const content = "**Salt** slows the *yeast* [1], as `they` say [1, 2].";

  test("has its sources with links to the second below it", () => {
    const other = citation({ n: 2, title: "A talk", start_s: 3_729, url: null });
    expect(plainAnswer(content, [citation({}), other], true)).toBe(
      [
        "Salt slows the yeast [1], as they say [1, 2].",
        "",
        "Sources",
        "",
        "[1] How bread rises, 4:07 – https://www.youtube.com/watch?v=abcdefghij0&t=247s",
        "[2] A talk, 1:02:09",
      ].join("\n"),
    );
  });

  test("has neither numbers nor sources without links", () => {
    expect(plainAnswer(content, [citation({})], false)).toBe("Salt slows the yeast, as they say.");
  });

  test("has no heading over no sources", () => {
    expect(plainAnswer("Nothing.", [], true)).toBe("Nothing.");
  });
});

describe("plain text", () => {
  test("keeps paragraphs, lists within lists and lines apart", () => {
    const markdown =
      "## Why\n\nOne.\n\n- first\n  - inner\n- second **bold**\n\n3. third\n4. fourth";
    expect(plainText(markdown)).toBe(
      "Why\n\nOne.\n\n- first\n  - inner\n- second bold\n\n3. third\n4. fourth",
    );
  });

  test("shows where a link leads, and an address once", () => {
    expect(plainText("[here](https://example.com/a) https://example.com/b")).toBe(
      "here (https://example.com/a) https://example.com/b",
    );
  });

  test("leaves signs that are none of Markdown's as they stand", () => {
    expect(plainText("a < b & c > d, 2 * 3")).toBe("a < b & c > d, 2 * 3");
  });

  test("keeps tables row by row and quotes without their bar", () => {
    expect(plainText("> said\n\n| a | b |\n| - | - |\n| 1 | 2 |")).toBe("said\n\na | b\n1 | 2");
  });
});
