import { SvelteSet } from "svelte/reactivity";

/** The videos that are marked, to be put into a collection or taken out of one. */
class Selection {
  on = $state(false);
  ids = new SvelteSet<string>();
  #last: number | null = null;

  start(): void {
    this.on = true;
  }

  stop(): void {
    this.on = false;
    this.ids.clear();
    this.#last = null;
  }

  /** Mark or unmark a row; with Shift, all from the row before up to this one. */
  toggle(rows: readonly ({ id: string } | undefined)[], index: number, range: boolean): void {
    const id = rows[index]?.id;
    if (!id) return;
    const mark = !this.ids.has(id);
    const from = range && this.#last !== null ? Math.min(this.#last, index) : index;
    const to = range && this.#last !== null ? Math.max(this.#last, index) : index;
    for (const row of rows.slice(from, to + 1))
      if (row && mark) this.ids.add(row.id);
      else if (row) this.ids.delete(row.id);
    this.#last = index;
  }
}

export const selection = new Selection();
