import { exactDollars } from "./dollars";
import { number } from "./queue";
import type { CostRow, Overview, Quotas } from "./types";

/** One bar of the costs: who or which model, and what it came to. */
export interface Sum {
  name: string;
  calls: number;
  usd: number;
}

const NOBODY = "Nobody in particular";

/** The costs summed up by one of their sides, the dearest first. */
export function sums(rows: readonly CostRow[], by: "email" | "model"): Sum[] {
  const found = new Map<string, Sum>();
  for (const row of rows) {
    const name = row[by] ?? NOBODY;
    const sum = found.get(name) ?? { name, calls: 0, usd: 0 };
    sum.calls += row.calls;
    sum.usd += row.cost_usd;
    found.set(name, sum);
  }
  return [...found.values()].sort((a, b) => b.usd - a.usd || b.calls - a.calls);
}

/** A part of the server in words: what it is, whether it counts, and how it is. */
export interface PartState {
  name: string;
  ok: boolean;
  word: string;
  detail: string;
}

const PARTS = [
  ["database", "Database", true],
  ["index", "Search index", true],
  ["worker", "Worker", true],
  ["model", "Chat model", false],
  ["transcripts", "Transcripts", false],
] as const;

/** The parts in order; without those that do not count the app still does its work. */
export function partsOf(health: Overview["health"]): PartState[] {
  return PARTS.map(([key, name, counts]) => {
    const { ok, detail } = health[key];
    const word = ok ? "Works" : counts ? "Away" : "Limited";
    return { name, ok, word, detail: detail === "ok" ? "" : detail };
  });
}

const UNITS = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** Bytes as a person reads them: 1.2 GB. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit] ?? ""}`;
}

/** A length of time in its largest unit: 40 s, 12 min, 3 h, 5 days. */
export function lasting(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

const DONE: Record<string, string> = {
  create_admin: "made an administrator of",
  invite: "invited",
  revoke_invitation: "took back the invitation of",
  reset_link: "made a link for a new password of",
  change_user: "changed the account of",
  delete_user: "deleted the account of",
  retry_job: "tried again a video of",
  cancel_job: "cancelled a video of",
  set_quotas: "set the quotas of",
};

/** What an administrator did, as the middle of a sentence. */
export const deed = (action: string): string => DONE[action] ?? action.replaceAll("_", " ");

/** What somebody may be held to; `step` is the finest that makes sense. */
export const QUOTAS = [
  { key: "videos", label: "Videos", step: "1" },
  { key: "hours", label: "Hours of video", step: "any" },
  { key: "storage_mb", label: "Megabytes of own files", step: "any" },
  { key: "daily_usd", label: "Dollars a day", step: "any" },
] as const;

export type Quota = (typeof QUOTAS)[number]["key"];

/** What somebody has of it by now. */
export function used(quotas: Quotas, quota: Quota): string {
  const amount = quotas.used[quota];
  return quota === "daily_usd"
    ? `${exactDollars(amount)} today`
    : `has ${number(Math.round(amount * 10) / 10)}`;
}

/** A quota as it was typed; null is what everybody has. */
export const amountOf = (typed: string): number | null =>
  typed.trim() === "" ? null : Number(typed);
