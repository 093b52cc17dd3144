import type { Citation, Message } from "../src/lib/types";

/** A message of the API's, with what a test is about. */
export function message(parts: Partial<Message>): Message {
  return {
    id: "m",
    run_id: "run",
    role: "assistant",
    content: "",
    status: "complete",
    citations: [],
    intent: null,
    model: null,
    usage: null,
    error: null,
    suggestions: [],
    feedback: null,
    metadata: null,
    replaced_at: null,
    created_at: "2026-01-01T00:00:00Z",
    ...parts,
  };
}

export function citation(parts: Partial<Citation>): Citation {
  return {
    n: 1,
    video_id: "v",
    youtube_id: "abcdefghij0",
    title: "How bread rises",
    start_s: 247.4,
    end_s: 251,
    quote: "Salt slows the yeast.",
    url: "https://www.youtube.com/watch?v=abcdefghij0&t=247s",
    ...parts,
  };
}
