import { ApiError } from "./api";
import { instantIn } from "./waiting";

/** An error as the screen shows it: a sentence, and whether trying again can help. */
export interface Trouble {
  sentence: string;
  retryable: boolean;
  /** The moment from which it can, where that is known. */
  from?: Date | null;
}

/** The sentence behind a failed request. A bug of ours is thrown on, not dressed up as one. */
export function troubleOf(error: unknown): Trouble {
  if (!(error instanceof ApiError)) throw error;
  const retryable = error.status === 0 || error.status === 429 || error.status >= 500;
  return { sentence: error.detail, retryable, from: instantIn(error.retryAfterS) };
}
