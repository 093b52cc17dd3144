import type { Run } from "./run";
import type { Message } from "./types";

/** The question that an answer is to: the person's last message before it. */
export function questionOf(messages: readonly Message[], answerId: string): Message | undefined {
  const at = messages.findIndex(({ id }) => id === answerId);
  return messages.slice(0, Math.max(at, 0)).findLast(({ role }) => role === "user");
}

/**
 * The answers that were written to the question of this one, the latest first. `messages` has those
 * as well that are no longer in the conversation: an answer is to the last question that was there
 * when it began.
 */
export function versionsOf(messages: readonly Message[], answerId: string): Message[] {
  const asked = messages.filter(({ role }) => role === "user");
  const questionIn = (answer: Message) =>
    asked.findLast(
      ({ created_at, replaced_at }) =>
        created_at < answer.created_at && (!replaced_at || replaced_at > answer.created_at),
    )?.id;
  const own = messages.find(({ id }) => id === answerId);
  if (!own) return [];
  return messages
    .filter((one) => one.role === "assistant" && questionIn(one) === questionIn(own))
    .toReversed();
}

/** What stands before a message; all of it where the message is not there. */
export function before(messages: readonly Message[], id: string): Message[] {
  const at = messages.findIndex((message) => message.id === id);
  return messages.slice(0, at < 0 ? messages.length : at);
}

/** A run's question and answer as the server has them, where it has that run's answer. */
export function turnOf(
  messages: readonly Message[],
  run: Run,
): { question: Message; answer: Message } | undefined {
  const answer = messages.find(({ run_id, role }) => run_id === run.id && role === "assistant");
  const question = answer && questionOf(messages, answer.id);
  return question && { question, answer };
}

/** A finished run's question and answer, to stand among the messages; none where it was refused. */
export function settled(run: Run): Message[] {
  if (!run.id) return [];
  const error = run.error && { error: run.error.error, detail: run.error.detail };
  const unfinished = blank(run, "assistant", error ? "failed" : "stopped");
  return [
    { ...blank(run, "user", "complete"), content: run.question },
    { ...(run.message ?? unfinished), error, suggestions: run.suggestions },
  ];
}

function blank(run: Run, role: Message["role"], status: Message["status"]): Message {
  const known = role === "user" ? run.questionId : run.answerId;
  return {
    id: known ?? localId(role, run.id),
    role,
    content: run.text,
    status,
    citations: [],
    intent: null,
    model: null,
    usage: null,
    metadata: null,
    suggestions: [],
    feedback: null,
    error: null,
    replaced_at: null,
    created_at: new Date().toISOString(),
    run_id: run.id ?? "",
  };
}

const localId = (role: Message["role"], runId: string | null) => `${role}-${runId}`;

/** Whether the server knows a message by its id, so that it can be edited or answered anew. */
export function isStored({ id, role, run_id }: Message): boolean {
  return id !== localId(role, run_id);
}

/** The messages, those of a turn under the ids that the server gave them. */
export function named(
  messages: readonly Message[],
  { question, answer }: { question: Message; answer: Message },
): Message[] {
  const ids = new Map([
    [localId("user", answer.run_id), question.id],
    [localId("assistant", answer.run_id), answer.id],
  ]);
  return messages.map((message) => ({ ...message, id: ids.get(message.id) ?? message.id }));
}
