import type { Passage } from "./events";
import type { Citation } from "./types";

/** A place in a video that an answer points to. */
export type Place = Citation;

/** While an answer is being written its numbers stand for the passages it was given. */
export function placesOf(passages: readonly Passage[]): Place[] {
  return passages.map(({ text, ...passage }) => ({ ...passage, quote: text }));
}

export function byNumber(places: readonly Place[]): ReadonlyMap<number, Place> {
  return new Map(places.map((place) => [place.n, place]));
}
