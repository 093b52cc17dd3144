import { expect, test } from "vitest";

import { commandsFor } from "../src/lib/commands";
import { replaced, triggerAt } from "../src/lib/completion";
import { linkNotice } from "../src/lib/sources";
import type { Template } from "../src/lib/types";

test.each([
  ["@", "@", ""],
  ["What says @bread tal", "@", "bread tal"],
  ["/", "/", ""],
  ["/key mo", "/", "key mo"],
  ["me@example.org", null, ""],
  ["a @ 5 o'clock", null, ""],
  ["and/or", null, ""],
  ["/ is a sign", null, ""],
])("in “%s” the sign is %s, its words “%s”", (text, sign, words) => {
  const found = triggerAt(text, text.length);
  expect(found?.sign ?? null).toBe(sign);
  expect(found?.words ?? "").toBe(words);
});

test("a choice takes the place of what was typed for it, and of no more", () => {
  const text = "Ask @bre why";
  const trigger = triggerAt(text, 8)!;
  expect(replaced(text, trigger, "")).toEqual(["Ask why", 4]);
  expect(replaced("/sum of it", triggerAt("/sum of it", 4)!, "Summary")).toEqual([
    "Summary of it",
    7,
  ]);
});

test("commands are found by their words, a person's templates among them", () => {
  const own: Template = {
    id: "t",
    name: "Three tips",
    description: "",
    body: "Three tips for {{audience}}",
    variables: ["audience"],
    place: null,
    builtin: false,
    created_at: null,
    updated_at: null,
  };
  expect(commandsFor("", [own])).toHaveLength(13);
  expect(commandsFor("linked", []).map(({ template }) => template?.id)).toEqual(["linkedin"]);
  expect(commandsFor("tips", [own])[0]?.template?.variables).toEqual(["audience"]);
  expect(commandsFor("nothing such", [own])).toEqual([]);
});

test.each([
  ["Why does bread rise?", null],
  ["https://youtu.be/bakingtalk1", "Enter adds this video. You see the price first."],
  [
    "youtube.com/watch?v=bakingtalk1 why does it rise?",
    "Enter adds this video and asks your question of it. You see the price first.",
  ],
  [
    "https://www.youtube.com/playlist?list=PLbakingbakingbaking",
    "Enter adds the videos of this list. You see the price first.",
  ],
])("of “%s” it is said: %s", (text, said) => expect(linkNotice(text)).toBe(said));
