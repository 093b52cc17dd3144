import { expect, test } from "vitest";

import { placeOf } from "../src/lib/address.svelte";
import { readEvents } from "../src/lib/sse";
import { MAKING, momentsOf, tell, withoutNumbers, type SummaryEvent } from "../src/lib/summary";
import { citation } from "./messages";

const at = (path: string) => new URL(path, "http://talker.test");

const told = (...events: SummaryEvent[]) => events.reduce(tell, MAKING);

const WHOLE: SummaryEvent = {
  type: "summary",
  content: "Bread rises [1].",
  citations: [citation({})],
  model: "test/first",
  language: "en",
};

test("a summary grows by its tokens, and its last word is the truth", () => {
  const growing = told(
    { type: "status", detail: "Reading part 1 of 2" },
    { type: "token", text: "Bread" },
  );
  expect(growing).toMatchObject({ phase: "making", status: "", content: "Bread" });
  expect(tell(growing, WHOLE)).toMatchObject({
    phase: "ready",
    content: "Bread rises [1].",
    model: "test/first",
  });
});

test("an error keeps what was written and says whether to try again", () => {
  const error: SummaryEvent = { type: "error", detail: "The model is away.", retryable: true };
  expect(told({ type: "token", text: "Bread" }, error, { type: "done" })).toMatchObject({
    phase: "failed",
    content: "Bread",
    trouble: { sentence: "The model is away.", retryable: true },
  });
});

test("a stream that ends without a summary failed", () => {
  expect(told({ type: "done" })).toMatchObject({ phase: "failed", trouble: { retryable: true } });
  expect(told(WHOLE, { type: "done" }).phase).toBe("ready");
});

test("a text of timed lines is a list of moments, any other is not", () => {
  expect(momentsOf("- 0:41 **Salt**: it slows the yeast [1]\n- 1:02:09 “The crust” [2]")).toEqual([
    { start_s: 41, text: "**Salt**: it slows the yeast [1]" },
    { start_s: 3729, text: "“The crust” [2]" },
  ]);
  expect(momentsOf("- 0:41 Salt [1]\nAnd more.")).toBeNull();
  expect(momentsOf("Bread rises [1].")).toBeNull();
});

test("numbers that are not proved yet are not shown", () => {
  expect(withoutNumbers("Bread rises [1][2]. Salt [3")).toBe("Bread rises. Salt");
});

test("server-sent events are read however they are cut", async () => {
  const bytes = new TextEncoder().encode(
    ': ping\r\n\r\ndata: {"text": "żur"}\r\n\r\ndata: {"text": "b"}\r\n\r\n',
  );
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 5) controller.enqueue(bytes.slice(at, at + 5));
      controller.close();
    },
  });
  const read = [];
  for await (const event of readEvents<{ text: string }>(stream)) read.push(event.text);
  expect(read).toEqual(["żur", "b"]);
});

test("an address names a video, a second and a view; what is unknown is left out", () => {
  expect(placeOf(at("/v/abc?t=90s&view=moments"))).toEqual({
    page: "video",
    id: "abc",
    at_s: 90,
    view: "moments",
  });
  expect(placeOf(at("/v/abc?t=-1&view=nonsense"))).toMatchObject({
    at_s: null,
    view: "transcript",
  });
});
