import type { Passage, RunEvent } from "./events";
import type { Offer } from "./offer";
import type { Message } from "./types";
import { instantIn } from "./waiting";

export interface RunError {
  error: string;
  detail: string;
  retryable: boolean;
  /** The moment from which the same may pass, where the server says. */
  from?: Date | null;
}

/** One question on its way to its answer: what the screen shows of it. */
export interface Run {
  id: string | null;
  question: string;
  /** The server's messages of the question and the answer, once they are known. */
  questionId: string | null;
  answerId: string | null;
  phase: "asking" | "working" | "writing" | "settled";
  /** The last step that said something, and what. */
  step: string;
  status: string;
  text: string;
  passages: Passage[];
  message: Message | null;
  confirm: Offer | null;
  suggestions: string[];
  /** Whether the person pressed stop. */
  stopped: boolean;
  title: string | null;
  error: RunError | null;
}

export function newRun(
  question: string,
  id: string | null = null,
  questionId: string | null = null,
): Run {
  return {
    id,
    question,
    questionId,
    answerId: null,
    phase: "asking",
    step: "",
    status: "Sending your question",
    text: "",
    passages: [],
    message: null,
    confirm: null,
    suggestions: [],
    stopped: false,
    title: null,
    error: null,
  };
}

/** The run after one event. A second `started` means the first try died: its tokens are void. */
export function advance(run: Run, event: RunEvent): Run {
  switch (event.type) {
    case "started":
      return {
        ...newRun(run.question, event.run_id, run.questionId),
        phase: "working",
        status: "Reading your question",
        stopped: run.stopped,
      };
    case "status":
      return { ...run, step: event.step, status: event.detail || event.step, confirm: null };
    case "sources":
      return { ...run, passages: event.passages, confirm: null };
    case "token":
      return { ...run, phase: "writing", status: "", text: run.text + event.text, confirm: null };
    case "confirm":
      return { ...run, confirm: offer(event) };
    case "message":
      return event.role === "assistant" ? answered(run, event) : run;
    case "suggestions":
      return { ...run, suggestions: event.questions };
    case "title":
      return { ...run, title: event.title };
    case "error":
      return isLateWord(event)
        ? run
        : { ...run, phase: "settled", confirm: null, error: failure(event) };
    case "done":
      return { ...run, phase: "settled", confirm: null };
    default:
      return unknownEvent(event, run);
  }
}

/** A newer server may say more than this page knows; the compiler still demands every known kind. */
function unknownEvent(_event: never, run: Run): Run {
  return run;
}

/** A word that came too late, since another page or program gave it: the run goes on. */
function isLateWord({ error }: RunError): boolean {
  return error === "nothing_to_confirm";
}

function failure({
  error,
  detail,
  retryable,
  retry_after_s,
}: Extract<RunEvent, { type: "error" }>): RunError {
  return { error, detail, retryable, from: instantIn(retry_after_s) };
}

function offer({ prompt, videos = [], price }: Extract<RunEvent, { type: "confirm" }>): Offer {
  return { prompt, videos, price: price ?? null };
}

/** `message` is the truth, and the end for who reads: only suggestions can come behind it. */
function answered(run: Run, event: Extract<RunEvent, { type: "message" }>): Run {
  const message: Message = {
    id: event.id,
    role: event.role,
    content: event.content,
    status: run.stopped ? "stopped" : "complete",
    citations: event.citations,
    intent: event.intent,
    model: event.model,
    usage: event.usage,
    metadata: event.metadata ?? null,
    suggestions: [],
    feedback: null,
    error: null,
    replaced_at: null,
    created_at: new Date().toISOString(),
    run_id: event.run_id ?? "",
  };
  return { ...run, phase: "settled", confirm: null, answerId: event.id, message };
}

/** What a screen reader is told: each step, then the end; never each token, nor each per cent. */
export function spokenState({ phase, status, message, confirm, error }: Run): string {
  if (confirm) return "A question to you, before anything is loaded";
  if (phase === "writing") return "The answer is being written";
  if (phase !== "settled") return status.replace(/ \(\d+\s?%\)$/, "");
  if (!message || error) return "";
  const count = message.citations.length;
  return `The answer is ready, with ${count} ${count === 1 ? "source" : "sources"}`;
}
