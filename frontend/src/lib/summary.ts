import type { Trouble } from "./failure";
import { clockSeconds } from "./time";
import type { Citation, Summary } from "./types";

export type SummaryEvent =
  | { type: "status"; detail: string }
  | { type: "token"; text: string }
  | ({ type: "summary" } & Pick<Summary, "content" | "citations" | "model" | "language">)
  | { type: "error"; detail: string; retryable: boolean }
  | { type: "done" };

/** A summary as the screen shows it, from the question whether there is one to its last word. */
export interface Told {
  phase: "looking" | "missing" | "making" | "ready" | "failed";
  status: string;
  content: string;
  citations: Citation[];
  /** Null where the text only quotes. */
  model: string | null;
  language: string | null;
  trouble: Trouble | null;
}

export const LOOKING: Told = {
  phase: "looking",
  status: "",
  content: "",
  citations: [],
  model: null,
  language: null,
  trouble: null,
};

export const MAKING: Told = { ...LOOKING, phase: "making", status: "Reading the transcript" };

const CUT: Trouble = {
  sentence: "The connection was lost. The summary is written on; look again to read it.",
  retryable: true,
};

/** The summary after one event of its making. */
export function tell(told: Told, event: SummaryEvent): Told {
  switch (event.type) {
    case "status":
      return { ...told, status: event.detail };
    case "token":
      return { ...told, status: "", content: told.content + event.text };
    case "summary":
      return found(event);
    case "error": {
      const { detail, retryable } = event;
      return { ...told, phase: "failed", trouble: { sentence: detail, retryable } };
    }
    case "done":
      return told.phase === "making" ? cut(told) : told;
    default:
      return unknownEvent(event, told);
  }
}

/** A newer server may say more than this page knows. */
function unknownEvent(_event: never, told: Told): Told {
  return told;
}

export function found(
  summary: Pick<Summary, "content" | "citations" | "model" | "language">,
): Told {
  const { content, citations, model, language } = summary;
  return { ...LOOKING, phase: "ready", content, citations, model, language };
}

/** The summary where its stream ended before it did. */
export const cut = (told: Told): Told => ({ ...told, phase: "failed", trouble: CUT });

export interface Moment {
  start_s: number;
  /** Markdown of one line. */
  text: string;
}

/** The moments of a text of which each line is `- 4:07 what is said`; null for any other text. */
export function momentsOf(content: string): Moment[] | null {
  const moments = [];
  for (const line of content.split("\n")) {
    const [, time, text] = /^- ((?:\d+:)?\d{1,2}:\d{2}) (.+)$/.exec(line) ?? [];
    if (time && text) moments.push({ start_s: clockSeconds(time), text });
    else if (line.trim()) return null;
  }
  return moments.length ? moments : null;
}

/** A text that is being written: its numbers stand for nothing until they are proved. */
export const withoutNumbers = (text: string): string => text.replace(/\s*\[[\d,;\s]*\]?/g, "");
