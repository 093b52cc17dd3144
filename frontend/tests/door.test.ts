import { expect, test } from "vitest";

import { afterDoor, tokenOf } from "../src/lib/door";

const HERE = "https://talks.example.org";

test("after the login one is where one wanted to go", () => {
  expect(afterDoor("?next=%2Fc%2F12%3Fa%3Db", HERE)).toBe("/c/12?a=b");
  expect(afterDoor("", HERE)).toBe("/");
});

test("no link leads from the login to somewhere else, or back to the login", () => {
  for (const next of [
    "https://evil.example",
    "//evil.example/x",
    "/\\evil.example",
    "javascript:alert(1)",
    "http://[",
    "/login",
    "/register/?next=/",
  ])
    expect(afterDoor(`?${new URLSearchParams({ next })}`, HERE), next).toBe("/");
});

test("a one-time link's token is read from behind the #", () => {
  expect(tokenOf("#invite=abc-1", "invite")).toBe("abc-1");
  expect(tokenOf("#reset=", "reset")).toBeNull();
  expect(tokenOf("", "invite")).toBeNull();
});
