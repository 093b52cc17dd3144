import type { PriceLine } from "./price";
import { number } from "./queue";
import type { Message } from "./types";

const INTENTS: Record<string, string> = {
  answer: "A question about the videos",
  summarize: "A summary",
  compose: "A text to publish",
  find_videos: "A search for videos",
  list_videos: "A list of videos",
  add_videos: "Videos to load",
  converse: "Small talk",
};

const STEPS: Record<string, string> = {
  route: "Understanding",
  retrieve: "Searching",
  grade: "Choosing passages",
  answer: "Writing",
  summarize: "Summarising",
  compose: "Writing",
  offer_videos: "Looking up links",
  add_videos: "Loading",
  suggest: "Suggesting questions",
};

/** How an answer was made, line by line; only what is known is named. */
export function madeLines(message: Message): PriceLine[] {
  const { metadata, usage, model } = message;
  if (!metadata) return [];
  const { route, passages, steps, calls } = metadata;
  const lines: [string, string | null][] = [
    ["Understood as", route && understood(route.intent, route.decided_by)],
    ["Asked as", route?.question ?? null],
    ["Passages read", passages.length ? number(passages.length) : null],
    ["Written by", model ?? (calls.length ? null : "No model: the speakers' own words")],
    ["Calls of a model", calls.length ? number(calls.length) : null],
    ["Tokens", usage?.input_tokens ? tokens(usage.input_tokens, usage.output_tokens) : null],
    ["Cost", usage?.cost_usd ? `$${usage.cost_usd.toFixed(4)}` : null],
    ["First word after", metadata.first_token_ms === null ? null : took(metadata.first_token_ms)],
    ...steps
      .filter(({ ms }) => ms >= NOTICEABLE_MS)
      .map(({ step, ms }): [string, string] => [STEPS[step] ?? step, took(ms)]),
    ["Altogether", took(metadata.total_ms)],
  ];
  return lines.flatMap(([label, value]) => (value ? { label, value } : []));
}

/** Steps that took less are no news. */
const NOTICEABLE_MS = 10;

function understood(intent: string, by: "rules" | "model" | undefined): string {
  return `${INTENTS[intent] ?? intent}${by === "model" ? ", by a model" : ""}`;
}

const tokens = (read: number, written: number) =>
  `${number(read)} read, ${number(written)} written`;

const took = (ms: number) => (ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`);
