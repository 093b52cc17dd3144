import { number } from "./queue";
import type { Citation, Message } from "./types";

/** A place that a post is for; null where a person's own template says what it is. */
export type PostPlace = "linkedin" | "x_thread" | "newsletter" | "blog" | null;

export const PLACE_NAMES: Record<NonNullable<PostPlace>, string> = {
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
  return template in PLACE_NAMES ? (template as PostPlace) : null;
}

export const postName = (place: PostPlace): string => (place ? PLACE_NAMES[place] : "Text");

/** Whether a post is for a place that knows no Markdown, and so is shown as it will stand there. */
export const isPlainPost = (place: PostPlace, content: string): boolean =>
  place ? place === "linkedin" || place === "x_thread" : !/^#{1,6} |\*\*/m.test(content);

/** X's limit for a post, in what it counts: https://docs.x.com/fundamentals/counting-characters. */
export const X_MAX = 280;

/** What X counts for an address, however long it is. */
const X_ADDRESS = "a".repeat(23);

/** Code points of which one counts one; all others count two, and an emoji as a whole two. */
const X_SINGLE = /[\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]/u;

const X_EMOJI =
  /(?![\u0000-\u10ff])\p{Extended_Pictographic}|[©®]\ufe0f|\p{Regional_Indicator}|\u20e3/u;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** How many of a post's characters a text takes, as X counts. */
export function xLength(text: string): number {
  let counted = 0;
  const short = text.normalize("NFC").replace(/https?:\/\/\S+/gi, X_ADDRESS);
  for (const { segment } of graphemes.segment(short)) {
    if (X_EMOJI.test(segment)) counted += 2;
    else for (const sign of segment) counted += X_SINGLE.test(sign) ? 1 : 2;
  }
  return counted;
}

/** How many words the server writes at most for these places. */
const WORDS: Partial<Record<string, number>> = { newsletter: 800, blog: 1_200 };

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
    const posts = content.split(/\n\s*\n/).filter((post) => post.trim());
    const longest = Math.max(0, ...posts.map(xLength));
    const count = `${posts.length} ${posts.length === 1 ? "post" : "posts"}`;
    return { text: `${count}, longest ${longest} / ${X_MAX}`, over: longest > X_MAX };
  }
  const words = content.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
  const most = WORDS[place ?? ""] ?? Infinity;
  const limit = most < Infinity ? ` / ${number(most)}` : "";
  return { text: `${number(words)}${limit} ${words === 1 ? "word" : "words"}`, over: words > most };
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

/** How a text can be wished, in words that the server does not take for its topic. */
export const WISHES: { label: string; words: string }[] = [
  { label: "Warm", words: "Please in a warm tone." },
  { label: "Professional", words: "Please in a professional tone." },
  { label: "Playful", words: "Please in a playful tone." },
  { label: "Simple words", words: "Please in simple words." },
  { label: "Short", words: "Please make it short." },
  { label: "Longer", words: "Please make it long." },
];
