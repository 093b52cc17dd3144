// @vitest-environment jsdom
import { expect, test } from "vitest";

import { shortcutOf } from "../src/lib/keys";

const plain = { ctrlKey: false, metaKey: false, altKey: false, isComposing: false };

test.each([
  ["j", "next"],
  ["k", "previous"],
  ["?", "shortcuts"],
  ["x", null],
])("%s alone asks for %s, and for nothing while somebody types", (key, shortcut) => {
  expect(shortcutOf({ ...plain, key }, false)).toBe(shortcut);
  expect(shortcutOf({ ...plain, key }, true)).toBeNull();
});

test("the palette comes from anywhere, and no other chord is taken from the browser", () => {
  expect(shortcutOf({ ...plain, key: "k", ctrlKey: true }, true)).toBe("palette");
  expect(shortcutOf({ ...plain, key: "K", metaKey: true }, false)).toBe("palette");
  expect(shortcutOf({ ...plain, key: "j", ctrlKey: true }, false)).toBeNull();
  expect(shortcutOf({ ...plain, key: "j", isComposing: true }, false)).toBeNull();
});
