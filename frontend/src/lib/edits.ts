/** Texts as a person changed them, by the message they are of, the last changed last. */
export type Drafts = readonly (readonly [id: string, text: string])[];

const KEPT = 40;

/** The drafts with one changed, or without it where it is as it was written. */
export function withDraft(drafts: Drafts, id: string, text: string, written: string): Drafts {
  const others = drafts.filter(([one]) => one !== id);
  return text === written ? others : [...others, [id, text] as const].slice(-KEPT);
}

/** Drafts as they were kept; what is none is left out. */
export function asDrafts(kept: unknown): Drafts {
  if (!Array.isArray(kept)) return [];
  return kept.filter(
    (one): one is [string, string] =>
      Array.isArray(one) && typeof one[0] === "string" && typeof one[1] === "string",
  );
}
