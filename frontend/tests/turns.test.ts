import { describe, expect, test } from "vitest";

import { newRun } from "../src/lib/run";
import { before, isStored, named, questionOf, settled, turnOf, versionsOf } from "../src/lib/turns";
import { message } from "./messages";

const conversation = [
  message({ id: "q1", role: "user", run_id: "1", content: "Why?" }),
  message({ id: "a1", run_id: "1", content: "Because." }),
  message({ id: "q2", role: "user", run_id: "2", content: "And then?" }),
  message({ id: "a2", run_id: "3", content: "Nothing." }),
];

describe("a conversation", () => {
  test("knows which question an answer is to, also when it was written anew", () => {
    expect(questionOf(conversation, "a2")?.id).toBe("q2");
    expect(questionOf(conversation, "q1")).toBeUndefined();
    expect(questionOf(conversation, "nowhere")).toBeUndefined();
  });

  test("knows what was written to a question before, whatever else was asked in between", () => {
    const at = (second: number) => `2026-01-01T00:00:0${second}Z`;
    const whole = [
      message({ id: "q1", role: "user", created_at: at(1) }),
      message({ id: "a1", created_at: at(2), replaced_at: at(5) }),
      message({ id: "q2", role: "user", created_at: at(3), replaced_at: at(5) }),
      message({ id: "a2", created_at: at(4), replaced_at: at(5) }),
      message({ id: "a3", created_at: at(6), replaced_at: at(7) }),
      message({ id: "a4", created_at: at(8) }),
    ];
    expect(versionsOf(whole, "a4").map(({ id }) => id)).toEqual(["a4", "a3", "a1"]);
    expect(versionsOf(whole, "a2").map(({ id }) => id)).toEqual(["a2"]);
    expect(versionsOf(whole, "nowhere")).toEqual([]);
  });

  test("ends before what is edited or answered anew", () => {
    expect(before(conversation, "q2").map(({ id }) => id)).toEqual(["q1", "a1"]);
    expect(before(conversation, "nowhere")).toHaveLength(4);
  });

  test("finds a run's turn by its answer", () => {
    const turn = turnOf(conversation, newRun("And then?", "3"));
    expect([turn?.question.id, turn?.answer.id]).toEqual(["q2", "a2"]);
    expect(turnOf(conversation, newRun("And then?", "2"))).toBeUndefined();
  });
});

describe("a run that is over", () => {
  const run = { ...newRun("Why?", "1"), text: "Bec" };

  test("becomes a question and what was written, with its error", () => {
    const error = { error: "model_busy", detail: "Later.", retryable: true };
    const [question, answer] = settled({ ...run, error });
    expect([question?.role, question?.content]).toEqual(["user", "Why?"]);
    expect([answer?.content, answer?.status]).toEqual(["Bec", "failed"]);
    expect(answer?.error).toEqual({ error: "model_busy", detail: "Later." });
  });

  test("leaves nothing behind where it was refused", () => {
    expect(settled(newRun("Why?"))).toEqual([]);
  });

  test("can be edited and answered anew once the server's ids are known", () => {
    const unnamed = settled(run);
    expect(unnamed.map(isStored)).toEqual([false, false]);
    const [question, answer] = conversation;
    if (!question || !answer) throw new Error("no turn");
    const known = named(unnamed, { question, answer });
    expect(known.map(({ id }) => id)).toEqual(["q1", "a1"]);
    expect(known.map(isStored)).toEqual([true, true]);
    expect(settled({ ...run, questionId: "q1", answerId: "a1" }).map(isStored)).toEqual([
      true,
      true,
    ]);
  });
});
