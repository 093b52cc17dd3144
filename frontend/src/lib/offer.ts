import { about, count, dollars } from "./price";
import { clock } from "./time";

/** One source that may be loaded: `videos` is how many it names, `known` how many are free. */
export interface Offered {
  source: string;
  kind: "video" | "playlist" | "channel";
  youtube_id: string | null;
  title: string | null;
  channel: string | null;
  duration_s: number | null;
  videos: number;
  known: number;
  failure: string | null;
}

/** Credits are Supadata's; `cost_usd` is for embeddings, null where nobody tells. */
export interface LoadPrice {
  new: number;
  credits: number;
  cost_usd: number | null;
  seconds: number;
}

/** What a person is asked to say yes to before it is loaded. */
export interface Offer {
  prompt: string;
  videos: Offered[];
  price: LoadPrice | null;
}

/** So many sources are named one by one; of more, how many. */
export const MOST_NAMED = 5;

export function offerTitle({ videos }: Offer): string {
  const good = videos.filter(({ failure }) => !failure);
  const [only] = good;
  if (only && good.length === 1) return `Load this ${only.kind}?`;
  return good.every(({ kind }) => kind === "video")
    ? `Load these ${good.length} videos?`
    : `Load these ${good.length} links?`;
}

/** `Channel · 12:34`, `120 videos, 30 of them known already`. */
export function offeredDetails({ kind, channel, duration_s, videos, known }: Offered): string {
  const parts = [channel, duration_s === null ? null : clock(duration_s)];
  if (kind !== "video") parts.push(count(videos, "video"));
  if (known && known === videos) parts.push("loaded already");
  else if (known) parts.push(`${known} loaded already`);
  return parts.filter(Boolean).join(" · ");
}

/** The price in a line: only what is to be paid or waited for is named. */
export function offerPrice(price: LoadPrice): string {
  if (!price.new) return "Loaded already, so it costs nothing.";
  const costs = [
    price.credits ? count(price.credits, "Supadata credit") : null,
    price.cost_usd ? `${dollars(price.cost_usd)} for embedding` : null,
    price.cost_usd === null ? "embedding at a price unknown" : null,
  ].filter(Boolean);
  const time = about(price.seconds);
  if (!costs.length) return `Free; takes ${time}.`;
  return `Costs ${costs.join(" and ")}; takes ${time}.`;
}
