// @vitest-environment jsdom
import { describe, expect, test } from "vitest";

import { renderBlocks, type Cited } from "../src/lib/markdown";

const cited = new Map<number, Cited>([
  [1, { n: 1, title: 'Why "green"?', start_s: 65 }],
  [2, { n: 2, title: "Leaves", start_s: 3 }],
]);

function dom(markdown: string): HTMLElement {
  const element = document.createElement("div");
  element.innerHTML = renderBlocks(markdown, cited).join("");
  return element;
}

const chips = (markdown: string) =>
  [...dom(markdown).querySelectorAll<HTMLElement>("button.cite")].map((chip) => chip.dataset["n"]);

describe("citations", () => {
  test("become buttons that say where they lead", () => {
    const chip = dom("It absorbs red [1].").querySelector("button");
    expect(chip?.textContent).toBe("1");
    expect(chip?.getAttribute("aria-label")).toBe('Source 1: Why "green"?, at 1 minute 5 seconds');
  });

  test("may share their brackets, stand in lists, in bold and at the end of a sentence", () => {
    expect(chips("- a [1, 2]\n- **b [2]**: [1];[2]")).toEqual(["1", "2", "2", "1", "2"]);
  });

  test("stay text when there is no such source, in code and in links", () => {
    expect(chips("a[7] and `x[1]` and [1](https://example.com)")).toEqual([]);
    expect(dom("a[7]").textContent).toContain("a[7]");
  });
});

describe("an answer", () => {
  test.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://example.com/x.png)",
    "[x](javascript:alert(1))",
    "<a href='javascript:alert(1)' onclick=alert(1)>x</a>",
    "<style>*{display:none}</style><iframe src=https://example.com></iframe>",
    "<button class=cite data-n=1>1</button>",
    "`</code><svg onload=alert(1)>`",
  ])("never runs, loads or draws %s", (markdown) => {
    const element = dom(markdown);
    const active =
      "script, style, img, iframe, svg, button, [onclick], [onerror], [onload], [style]";
    expect(element.querySelector(active)).toBeNull();
    expect(element.querySelector("a[href^=javascript]")).toBeNull();
  });

  test("opens links beside the page and vouches for none", () => {
    const link = dom("see https://example.com/a").querySelector("a");
    expect([link?.href, link?.target, link?.rel]).toEqual([
      "https://example.com/a",
      "_blank",
      "noopener nofollow",
    ]);
  });

  test("has its headings below those of the page", () => {
    expect(dom("# Title\n\n### Part").querySelector("h3")?.textContent).toBe("Title");
  });

  test("runs the way its own letters do, block by block and list by list", () => {
    const set = dom("שלום\n\n- אחת\n- שתיים\n\n> One\n>\n> Two").querySelectorAll("[dir=auto]");
    expect([...set].map(({ tagName }) => tagName)).toEqual(["P", "UL", "BLOCKQUOTE"]);
  });

  test("comes one block at a time, so that earlier ones stand still while it grows", () => {
    const before = renderBlocks("One [1].\n\nTw", cited);
    const after = renderBlocks("One [1].\n\nTwo **words", cited);
    expect(before).toHaveLength(2);
    expect(after[0]).toBe(before[0]);
  });
});
