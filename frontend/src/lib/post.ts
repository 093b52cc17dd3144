import { number } from "./queue";
import type { Citation, Message } from "./types";

/** A place that a post is for; null where a person's own template says what it is. */
export type PostPlace = "linkedin" | "x_thread" | "newsletter" | "blog" | null;

const PLACES: Record<string, string> = {
  linkedin: "LinkedIn post",
  x_thread: "Thread for X",
  newsletter: "Newsletter",
  blog: "Blog post",
};

/** LinkedIn's limit, in UTF-16 units as its editor counts; JavaScript counts the same. */
export const LINKEDIN_MAX = 3_000;

/** A message is a post where a model composed it; what merely quotes has numbers in its text. */
export function isPost(message: Pick<Message, "intent" | "model" | "citations">): boolean {
  return (
    message.intent === "compose" &&
    message.model !== null &&
    message.citations.every(({ claim }) => claim)
  );
}

export function placeOfPost(message: Pick<Message, "metadata">): PostPlace {
  const template = message.metadata?.route?.template ?? "";
  return template in PLACES ? (template as PostPlace) : null;
}

export const postName = (place: PostPlace): string => (place ? PLACES[place] : null) ?? "Text";

/** Whether a post is for a place that knows no Markdown, and so is shown as it will stand there. */
export const isPlainPost = (place: PostPlace, content: string): boolean =>
  place ? place === "linkedin" || place === "x_thread" : !/^#{1,6} |\*\*/m.test(content);

export interface Length {
  text: string;
  /** Whether it is more than its place takes. */
  over: boolean;
}

/** How long a post is, in what its place counts: `1,234 / 3,000`, `6 posts`, `812 words`. */
export function postLength(place: PostPlace, content: string): Length {
  if (place === "linkedin")
    return {
      text: `${number(content.length)} / ${number(LINKEDIN_MAX)}`,
      over: content.length > LINKEDIN_MAX,
    };
  if (place === "x_thread") {
    const posts = content.split(/\n\s*\n/).filter((post) => post.trim()).length;
    return { text: `${posts} ${posts === 1 ? "post" : "posts"}`, over: false };
  }
  const words = content.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
  return { text: `${number(words)} ${words === 1 ? "word" : "words"}`, over: false };
}

export interface Receipt {
  claim: string;
  places: Citation[];
}

/** Each claim with the places that bear it out, in the order of the post. */
export function receipts(citations: readonly Citation[]): Receipt[] {
  const found = new Map<string, Receipt>();
  for (const place of citations) {
    if (!place.claim) continue;
    const receipt = found.get(place.claim) ?? { claim: place.claim, places: [] };
    receipt.places.push(place);
    found.set(place.claim, receipt);
  }
  return [...found.values()];
}

export interface Part {
  text: string;
  /** The claim that this is; null for the post's own words. */
  claim: string | null;
}

/** A post cut into its claims and what stands between them; joined again it is the post. */
export function postParts(content: string, claims: readonly string[]): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const claim of claims) {
    const start = content.indexOf(claim, end);
    if (start < 0) continue;
    if (start > end) parts.push({ text: content.slice(end, start), claim: null });
    end = start + claim.length;
    parts.push({ text: claim, claim });
  }
  if (end < content.length) parts.push({ text: content.slice(end), claim: null });
  return parts;
}
