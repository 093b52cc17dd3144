/** A long list of which only some pages are here: what is missing is `undefined`. */
export type Sparse<T> = readonly (T | undefined)[];

export const PAGE = 100;

/** The list with one page put where it belongs, as long as the server now says that it is. */
export function place<T>(
  list: Sparse<T>,
  page: readonly T[],
  offset: number,
  total: number,
): Sparse<T> {
  const placed: (T | undefined)[] = list.slice(0, total);
  while (placed.length < total) placed.push(undefined);
  page.forEach((item, index) => {
    if (offset + index < total) placed[offset + index] = item;
  });
  return placed;
}

/** The offsets of the pages that rows `from` up to `to` lie on. */
export function pagesOf(from: number, to: number): number[] {
  const offsets = [];
  for (let at = Math.floor(from / PAGE) * PAGE; at < to; at += PAGE) offsets.push(at);
  return offsets;
}

/** Where each row of a list starts, and after the last where the list ends. */
export function rowTops(heights: readonly number[]): number[] {
  const tops = [0];
  let top = 0;
  for (const height of heights) tops.push((top += height));
  return tops;
}

/** The rows that a window shows, with some more on both sides; `to` is past the last. */
export function rowsIn(
  tops: readonly number[],
  top: number,
  height: number,
  more: number,
): { from: number; to: number } {
  const rows = tops.length - 1;
  const first = rowAt(tops, top);
  const last = rowAt(tops, top + height);
  return { from: Math.max(0, first - more), to: Math.min(rows, last + 1 + more) };
}

function rowAt(tops: readonly number[], at: number): number {
  let low = 0;
  let high = tops.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((tops[middle] ?? Infinity) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}
