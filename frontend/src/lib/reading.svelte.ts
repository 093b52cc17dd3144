import { Searchable } from "./find";
import { player } from "./player.svelte";
import type { Segment } from "./types";

const NOTHING = new Searchable([]).find("");

/** How a person reads the open transcript: along with the video, by themselves, or in search. */
class Reading {
  /** Whether the line that is being said is kept in view; who scrolls is left in peace. */
  following = $state(true);
  aim = $state.raw<{ index: number } | null>(null);
  searching = $state(false);
  words = $state("");
  #segments = $state.raw<readonly Segment[]>([]);
  /** The place that was gone to, in the search for these words. */
  #gone = $state.raw<{ words: string; nth: number } | null>(null);

  /** The line from which the search goes. */
  #from = $state(0);
  /** Long transcripts take their time to be made searchable, so it waits for a search. */
  #searchable = $derived(new Searchable(this.#segments.map(({ text }) => text)));
  found = $derived(this.searching ? this.#searchable.find(this.words) : NOTHING);
  at = $derived(this.#gone?.words === this.words ? this.#gone.nth : this.found.from(this.#from));

  /** Other lines are shown: they are followed from the start. */
  start(segments: readonly Segment[]): void {
    this.#segments = segments;
    this.#gone = null;
    this.following = true;
  }

  follow(line: number): void {
    if (this.following && line >= 0) this.aim = { index: line };
  }

  leave(): void {
    this.following = false;
  }

  resume(): void {
    this.following = true;
    this.aim = { index: Math.max(0, player.current) };
  }

  search(on: boolean): void {
    this.searching = on;
    this.#from = Math.max(0, player.current);
    this.#gone = null;
    if (!on) this.words = "";
  }

  /** Show the next place, or the one before; round the ends. */
  go(step: 1 | -1): void {
    const { count } = this.found;
    if (!count) return;
    const nth = (this.at + step + count) % count;
    this.#gone = { words: this.words, nth };
    this.#show(nth);
  }

  /** Show where the words that are being typed are said first. */
  look(): void {
    if (this.searching && this.found.count) this.#show(this.at);
  }

  #show(nth: number): void {
    this.following = false;
    this.aim = { index: this.found.line(nth) };
  }
}

export const reading = new Reading();
