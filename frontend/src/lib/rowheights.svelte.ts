import { rowTops } from "./pages";

interface Known<T> {
  row: T;
  height: number;
}

/** How high the rows of a long list are: measured where they were drawn, else estimated. */
export class RowHeights<T> {
  #rows: () => readonly T[];
  #measured = $state.raw<ReadonlyMap<number, Known<T>>>(new Map());
  #estimates: number[];
  /** Where each row starts, and after the last where the list ends. */
  tops: number[];

  constructor(rows: () => readonly T[], estimate: (row: T) => number) {
    this.#rows = rows;
    this.#estimates = $derived(rows().map(estimate));
    this.tops = $derived.by(() => {
      const heights = this.#estimates.slice();
      for (const [index, known] of this.#measured)
        if (rows()[index] === known.row) heights[index] = known.height;
      return rowTops(heights);
    });
  }

  /**
   * Measure drawn rows, all together, so that the list moves at most once. Returns how much the
   * rows that end above `line` turned out higher than was thought.
   */
  measure(drawn: Iterable<HTMLElement>, line: number): number {
    const found = new Map<number, Known<T>>();
    let above = 0;
    for (const element of drawn) {
      const index = Number(element.dataset["index"]);
      const row = this.#rows()[index];
      const height = element.offsetHeight;
      const known = this.#measured.get(index);
      if (row === undefined || (known?.row === row && known.height === height)) continue;
      found.set(index, { row, height });
      const bottom = this.tops[index + 1] ?? 0;
      if (bottom <= line) above += height - (bottom - (this.tops[index] ?? 0));
    }
    if (found.size) this.#measured = new Map([...this.#measured, ...found]);
    return above;
  }
}
