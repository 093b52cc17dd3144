import { expect, test } from "vitest";

import { madeLines } from "../src/lib/made";
import { message } from "./messages";

test("how an answer was made is told line by line, without what is unknown or no news", () => {
  const made = message({
    model: "test/first",
    usage: { input_tokens: 3_456, output_tokens: 120, cost_usd: 0.00123 },
    metadata: {
      route: { intent: "answer", decided_by: "rules" },
      passages: [{ n: 1, score: 1 }],
      steps: [
        { step: "route", ms: 2 },
        { step: "retrieve", ms: 61 },
      ],
      calls: [{ purpose: "answer", model: "test/first", duration_ms: 1_500, error: null }],
      first_token_ms: 640,
      total_ms: 2_160,
    },
  });
  expect(madeLines(made).map(({ label, value }) => `${label}: ${value}`)).toEqual([
    "Understood as: A question about the videos",
    "Passages read: 1",
    "Written by: test/first",
    "Calls of a model: 1",
    "Tokens: 3,456 read, 120 written",
    "Cost: $0.0012",
    "First word after: 640 ms",
    "Searching: 61 ms",
    "Altogether: 2.2 s",
  ]);
  expect(madeLines(message({}))).toEqual([]);
});
