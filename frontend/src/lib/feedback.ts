import * as api from "./api";
import type { Feedback } from "./types";

export type Rating = Feedback["rating"];

/** What a press of a thumb makes of what was said: the same thumb again takes it back. */
export function rate(
  id: string,
  before: Feedback | null,
  rating: Rating,
): Promise<Feedback | null> {
  if (before?.rating === rating) return api.takeBackFeedback(id).then(() => null);
  return api.giveFeedback(id, { rating, comment: before?.comment ?? null });
}
