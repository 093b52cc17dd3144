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
    expect([writing.phase, writing.text, writing.status]).toEqual(["writing", "Because", ""]);
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

  test("keeps the stop and the message it answers when it is taken up again", () => {
    const run = { ...newRun("Why?", "run", "q"), stopped: true };
    const again = advance(run, { type: "started", run_id: "run", seq: 1 });
    expect([again.stopped, again.questionId]).toEqual([true, "q"]);
  });

  test("takes the message for the truth, and settles with it", () => {
    const run = play({ type: "started" }, { type: "token", text: "Becuase" }, message);
    expect([run.message?.content, run.phase, run.answerId]).toEqual(["Because.", "settled", "m"]);
  });

  test("may still say what to ask next when its answer is there", () => {
    const questions = ["And then?", "Since when?"];
    const run = play(
      { type: "started" },
      message,
      { type: "suggestions", message_id: "m", questions },
      { type: "done" },
    );
    expect(run.suggestions).toEqual(questions);
  });

  test("waits with what it wants to load, until it goes on", () => {
    const confirm: Kind<RunEvent> = { type: "confirm", prompt: "Load this?", videos: [] };
    const waiting = play({ type: "started" }, confirm);
    expect(waiting.confirm).toEqual({ prompt: "Load this?", videos: [], price: null });
    const loading = play({ type: "started" }, confirm, {
      type: "status",
      step: "add_videos",
      detail: "Loading: making it searchable (45 %)",
    });
    expect([loading.confirm, loading.status]).toEqual([
      null,
      "Loading: making it searchable (45 %)",
    ]);
    expect(play({ type: "started" }, confirm, message).confirm).toBeNull();
  });

  test("goes on when a word to it came too late", () => {
    const run = play(
      { type: "started" },
      { type: "status", step: "add_videos", detail: "Loading" },
    );
    const late = { error: "nothing_to_confirm", detail: "Nothing waits.", retryable: false };
    expect(advance(run, { type: "error", ...late, run_id: null, seq: 0 })).toBe(run);
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
