import type { IconName } from "../islands/Icon.svelte";
import * as api from "./api";
import { collections } from "./collections.svelte";
import { commandsFor } from "./commands";
import { hasWords, triggerAt, type Trigger } from "./completion";
import { draft } from "./draft.svelte";
import { troubleOf } from "./failure";
import { count } from "./price";
import { templates } from "./templates.svelte";

/** A line of the list that `@` or `/` opens. */
export interface Option {
  id: string;
  name: string;
  detail: string;
  icon: IconName;
  /** What stands in the question in the place of what was typed. */
  words: string;
  choose: () => void;
}

const MOST_VIDEOS = 8;
const MOST_COLLECTIONS = 4;
const TYPING_REST_MS = 120;

/** What can be chosen where the cursor stands. */
export class Completions {
  trigger = $state.raw<Trigger | null>(null);
  options = $state.raw<Option[]>([]);
  active = $state(0);
  trouble = $state("");
  /** Whether what is there for the words before is not known yet. */
  waiting = $state(false);
  isOpen = $derived(this.trigger !== null && (this.options.length > 0 || this.trouble !== ""));
  #found: Promise<void> = Promise.resolve();
  #asked = new AbortController();

  /** Read the words before the cursor; `null` stands for a field that was left. */
  look(text: string, cursor: number | null): void {
    const before = this.trigger;
    this.trigger = cursor === null ? null : triggerAt(text, cursor);
    const isSame = before?.sign === this.trigger?.sign && before?.words === this.trigger?.words;
    if (isSame) return;
    this.#asked.abort();
    this.#asked = new AbortController();
    if (before?.sign !== this.trigger?.sign) this.options = [];
    this.waiting = this.trigger !== null;
    this.#found = this.trigger ? this.#find(this.trigger, this.#asked.signal) : Promise.resolve();
  }

  close(): void {
    this.#asked.abort();
    this.waiting = false;
    this.trigger = null;
    this.options = [];
  }

  move(by: number): void {
    this.active = (this.active + by + this.options.length) % Math.max(1, this.options.length);
  }

  /** Take an option, once those for the last words are here; what to put in, and where. */
  async choose(option?: Option): Promise<{ trigger: Trigger; words: string } | null> {
    if (!option) await this.#found;
    const { trigger } = this;
    const chosen = option ?? this.options[this.active];
    if (!trigger || !chosen) return null;
    this.close();
    chosen.choose();
    return { trigger, words: chosen.words };
  }

  async #find({ sign, words }: Trigger, signal: AbortSignal): Promise<void> {
    try {
      const options = await (sign === "/" ? this.#commands(words) : findAbout(words, signal));
      if (signal.aborted) return;
      this.options = options;
      this.active = 0;
      this.trouble = "";
    } catch (error) {
      if (signal.aborted) return;
      this.options = [];
      this.trouble = troubleOf(error).sentence;
    }
    this.waiting = false;
  }

  async #commands(words: string): Promise<Option[]> {
    await templates.need();
    return commandsFor(words, templates.own).map((command) => ({
      ...command,
      detail: command.hint,
      choose: () => draft.writeBy(command.template ?? null),
    }));
  }
}

async function findAbout(words: string, signal: AbortSignal): Promise<Option[]> {
  const groups = collections.items.filter(({ name }) => hasWords(name, words));
  await rest(signal);
  const query = { limit: MOST_VIDEOS, status: "ready" as const, ...(words ? { q: words } : {}) };
  const { items } = await api.listVideos(query, signal);
  // The library also finds what is said; here a name is looked for.
  const titled = items.filter(({ title, channel }) => hasWords(`${title} ${channel ?? ""}`, words));
  return [
    ...groups.slice(0, MOST_COLLECTIONS).map(({ id, name, videos }): Option => ({
      id,
      name,
      detail: count(videos, "video"),
      icon: "collection",
      words: "",
      choose: () => draft.choose({ id, name }),
    })),
    ...titled.map(({ id, title, channel }): Option => ({
      id,
      name: title,
      detail: channel ?? "",
      icon: "play",
      words: "",
      choose: () => draft.addVideo({ id, name: title }),
    })),
  ];
}

/** A person who types on is not asked for each letter. */
const rest = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, TYPING_REST_MS);
    signal.addEventListener("abort", () => resolve());
  });
