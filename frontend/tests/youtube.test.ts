import { expect, test } from "vitest";

import { command, embedAddress, linkAt, reports } from "../src/lib/youtube";

test("the player is asked for without cookies, with its protocol on, at a second", () => {
  const address = new URL(embedAddress("dQw4w9WgXcQ", "http://127.0.0.1:8000", 48.5));
  expect(address.origin + address.pathname).toBe(
    "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
  );
  expect(Object.fromEntries(address.searchParams)).toMatchObject({
    enablejsapi: "1",
    origin: "http://127.0.0.1:8000",
    start: "48",
  });
});

test("commands are what the player's own script sends", () => {
  expect(JSON.parse(command("seekTo", [41.2, true]))).toEqual({
    event: "command",
    func: "seekTo",
    args: [41.2, true],
    id: 1,
    channel: "widget",
  });
});

test("a delivery tells time and whether it plays", () => {
  const delivery = JSON.stringify({
    event: "infoDelivery",
    info: { currentTime: 12.5, playerState: 1 },
  });
  expect(reports(delivery)).toEqual([
    { type: "ready" },
    { type: "time", seconds: 12.5 },
    { type: "state", playing: true },
  ]);
});

test("an error comes as a sentence", () => {
  const [report] = reports(JSON.stringify({ event: "onError", info: 150 }));
  expect(report).toEqual({ type: "error", sentence: expect.stringContaining("outside YouTube") });
});

test.each([undefined, 7, "no json", "null", "[]", '{"event":"other"}', { event: "onReady" }])(
  "other messages mean nothing: %j",
  (data) => expect(reports(data)).toEqual([]),
);

test("a link at a second replaces the one it had, and only web addresses are linked", () => {
  const url = "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=0s";
  expect(linkAt(url, 61.9)).toBe("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=61s");
  expect(linkAt("javascript:alert(1)", 3)).toBeNull();
  expect(linkAt(null, 3)).toBeNull();
});
