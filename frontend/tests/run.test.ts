import { describe, expect, test } from "vitest";

import type { RunEvent } from "../src/lib/events";
import { advance, newRun, type Run } from "../src/lib/run";

type Kind<E> = E extends RunEvent ? Omit<E, "run_id" | "seq"> : never;

function play(...events: Kind<RunEvent>[]): Run {
  return events.reduce<Run>(
    (run, event, index) => advance(run, { ...event, run_id: "run", seq: index + 1 } as RunEvent),
    newRun("Why?"),
  );
}

const message: Kind<RunEvent> = {
  type: "message",
  id: "m",
  role: "assistant",
  content: "Because.",
  citations: [],
  intent: "answer",
  model: null,
  usage: null,
};

describe("a run", () => {
  test("shows its status until the first token, then what is written", () => {
    const searching = play(
      { type: "started" },
      { type: "status", step: "retrieve", detail: "Searching" },
    );
    expect([searching.phase, searching.status]).toEqual(["working", "Searching"]);
    const writing = play(
      { type: "started" },
      { type: "token", text: "Be" },
      { type: "token", text: "cause" },
    );
    expect([writing.phase, writing.text]).toEqual(["writing", "Because"]);
  });

  test("forgets what a first try wrote when it is started again", () => {
    const run = play(
      { type: "started" },
      { type: "token", text: "Wro" },
      { type: "started" },
      { type: "token", text: "Right" },
    );
    expect(run.text).toBe("Right");
    expect(run.question).toBe("Why?");
  });

  test("takes the message for the truth, and settles with done", () => {
    const run = play({ type: "started" }, { type: "token", text: "Becuase" }, message);
    expect([run.message?.content, run.phase]).toEqual(["Because.", "writing"]);
    expect(advance(run, { type: "done", run_id: "run", seq: 9 }).phase).toBe("settled");
  });

  test("keeps what was written when it fails in the middle", () => {
    const error = {
      type: "error",
      error: "model_busy",
      detail: "Later.",
      retryable: true,
    } as const;
    const run = play({ type: "started" }, { type: "token", text: "Half" }, error, { type: "done" });
    expect([run.text, run.error?.detail, run.phase]).toEqual(["Half", "Later.", "settled"]);
  });

  test("is settled at once by a refusal, which is never followed by done", () => {
    const run = advance(newRun("x"), {
      type: "error",
      error: "question_too_long",
      detail: "Shorten it.",
      retryable: false,
      run_id: null,
      seq: 0,
    });
    expect(run.phase).toBe("settled");
  });

  test("stays as it is on an event of a newer server", () => {
    const run = newRun("x");
    expect(advance(run, { type: "applause", run_id: "run", seq: 1 } as unknown as RunEvent)).toBe(
      run,
    );
  });
});
