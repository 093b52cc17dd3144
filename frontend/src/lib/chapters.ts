import type { Chapter, Segment } from "./types";

/** A transcript's lines under their chapter; `first` is the index of the first of them. */
export interface Part {
  chapter: Chapter | null;
  first: number;
  lines: readonly Segment[];
}

/**
 * Lines belong to the chapter in which they begin. What is said before the first chapter has
 * none, and a chapter in which no line begins is left out.
 */
export function partsOf(segments: readonly Segment[], chapters: readonly Chapter[]): Part[] {
  const parts: Part[] = [];
  let next = 0;
  let chapter: Chapter | null = null;
  let first = 0;
  const close = (end: number) => {
    if (end > first) parts.push({ chapter, first, lines: segments.slice(first, end) });
    first = end;
  };
  segments.forEach(({ start_s }, index) => {
    let entered = chapter;
    for (let one; (one = chapters[next]) && one.start_s <= start_s + 0.05; next++) entered = one;
    if (entered === chapter) return;
    close(index);
    chapter = entered;
  });
  close(segments.length);
  return parts;
}
