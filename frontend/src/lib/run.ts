import type { Passage, RunEvent } from "./events";
import type { Message } from "./types";

export interface RunError {
  error: string;
  detail: string;
  retryable: boolean;
}

/** One question on its way to its answer: what the screen shows of it. */
export interface Run {
  id: string | null;
  question: string;
  phase: "asking" | "working" | "writing" | "settled";
  status: string;
  text: string;
  passages: Passage[];
  message: Message | null;
  confirm: string | null;
  suggestions: string[];
  /** Whether the person pressed stop. */
  stopped: boolean;
  title: string | null;
  error: RunError | null;
}

export function newRun(question: string, id: string | null = null): Run {
  return {
    id,
    question,
    phase: "asking",
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
        ...newRun(run.question, event.run_id),
        phase: "working",
        status: "Reading your question",
      };
    case "status":
      return { ...run, status: event.detail || event.step };
    case "sources":
      return { ...run, passages: event.passages };
    case "token":
      return { ...run, phase: "writing", text: run.text + event.text };
    case "confirm":
      return { ...run, confirm: event.prompt };
    case "message":
      return event.role === "assistant" ? { ...run, message: finished(event, run.stopped) } : run;
    case "suggestions":
      return { ...run, suggestions: event.questions };
    case "title":
      return { ...run, title: event.title };
    case "error":
      return { ...run, phase: event.run_id ? run.phase : "settled", error: event };
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

function finished(event: Extract<RunEvent, { type: "message" }>, stopped: boolean): Message {
  return {
    id: event.id,
    role: event.role,
    content: event.content,
    status: stopped ? "stopped" : "complete",
    citations: event.citations,
    intent: event.intent,
    model: event.model,
    usage: event.usage,
    error: null,
    created_at: new Date().toISOString(),
    run_id: event.run_id ?? "",
  };
}
