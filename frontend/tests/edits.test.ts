import { expect, test } from "vitest";

import { asDrafts, withDraft } from "../src/lib/edits";
import { templateFrom, variablesOf } from "../src/lib/template";

test("texts that this browser kept are read as far as they make sense", () => {
  expect(asDrafts([["m", "text"], ["n"], 3])).toEqual([["m", "text"]]);
  expect(asDrafts({ m: "text" })).toEqual([]);
});

test("a changed text is kept until it is again what was written, and so are the last forty", () => {
  const changed = withDraft([], "m", "Mine", "Theirs");
  expect(changed).toEqual([["m", "Mine"]]);
  expect(withDraft(changed, "m", "Theirs", "Theirs")).toEqual([]);
  const many = Array.from({ length: 40 }, (_, n) => [`m${n}`, "text"] as const);
  expect(withDraft(many, "new", "text", "").map(([id]) => id)).toHaveLength(40);
  expect(withDraft(many, "new", "text", "").at(-1)).toEqual(["new", "text"]);
});

test("a post becomes a template with its request, and no braces of its own", () => {
  const { body, place } = templateFrom("A post about salt", "Salt {{is}} key.", "Post", "linkedin");
  expect(body).toMatch(/^A post about salt\n\n[\s\S]*\n\nSalt is key\.$/);
  expect(place).toBe("linkedin");
  expect(variablesOf(body)).toEqual([]);
  expect(variablesOf("For {{audience}}: {{ topic }}, {{audience}} {{No}}")).toEqual([
    "audience",
    "topic",
  ]);
});
