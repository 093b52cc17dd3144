import { number } from "./queue";
import type { Price } from "./types";

export interface PriceLine {
  label: string;
  value: string;
}

/** What adding would mean, line by line; only what is to be paid or waited for is named. */
export function priceLines(price: Price, generate: boolean): PriceLine[] {
  const lines = [{ label: "To load", value: count(price.new, "video") }];
  if (price.known) lines.push({ label: "Known already", value: `${number(price.known)}, free` });
  if (price.failed)
    lines.push({ label: "Failed lately", value: `${number(price.failed)}, not tried again` });
  if (!price.new) return lines;
  if (price.credits) lines.push({ label: "Transcripts", value: credits(price, generate) });
  lines.push({ label: "Embedding", value: embedding(price) });
  lines.push({ label: "Time", value: about(price.seconds) });
  return lines;
}

/** The button says what it will do. */
export function addLabel(price: Price | null): string {
  if (!price) return "Add";
  if (!price.new && price.videos)
    return price.videos === 1 ? "Add it" : `Add all ${number(price.videos)}`;
  return `Load ${count(price.new, "video")}`;
}

export const count = (value: number, one: string): string =>
  `${number(value)} ${one}${value === 1 ? "" : "s"}`;

function credits(price: Price, generate: boolean): string {
  const extra = price.generated_credits;
  const made = generate && extra ? `, and at most ${number(extra)} to make captions` : "";
  return `about ${count(price.credits, "credit")}${made}`;
}

function embedding({ embedding_tokens, cost_usd }: Price): string {
  const tokens = `${rounded(embedding_tokens)} tokens`;
  if (cost_usd === 0) return `${tokens}, free on this machine`;
  return `${tokens}, ${cost_usd === null ? "price unknown" : dollars(cost_usd)}`;
}

export function dollars(usd: number): string {
  return usd < 0.01 ? "under $0.01" : `about $${usd.toFixed(2)}`;
}

/** `940`, `12 thousand`, `2.3 million`: an estimate needs no more figures. */
export function rounded(value: number): string {
  if (value >= 999_500) return `${short(value / 1_000_000)} million`;
  if (value >= 1_000) return `${short(value / 1_000)} thousand`;
  return number(value);
}

const short = (value: number) => (value >= 10 ? number(Math.round(value)) : `${+value.toFixed(1)}`);

/** Seconds as a person would guess them: `about 25 minutes`. */
export function about(seconds: number): string {
  if (seconds < 60) return "under a minute";
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `about ${count(minutes, "minute")}`;
  const hours = Math.round(seconds / 1800) / 2;
  return hours < 48 ? `about ${hours} hours` : `about ${Math.round(hours / 24)} days`;
}
