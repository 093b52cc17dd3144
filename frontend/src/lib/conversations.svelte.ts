import { SvelteSet } from "svelte/reactivity";

import * as api from "./api";
import { troubleOf, type Trouble } from "./failure";
import type { Conversation, Models } from "./types";

const UNDO_MS = 8_000;
const TYPING_REST_MS = 150;

/** The person's conversations, the latest first, and the models that can answer. */
class Conversations {
  items = $state.raw<Conversation[]>([]);
  models = $state.raw<Models | null>(null);
  phase = $state<"loading" | "ready">("loading");
  trouble = $state<Trouble | null>(null);
  /** Those that have the words that are looked for; null where none are. */
  found = $state.raw<Conversation[] | null>(null);
  /** Deleted on the screen, and on the server once there was time to think again. */
  doomed = new SvelteSet<string>();
  #words = "";
  #asked = new AbortController();
  #timers = new Map<string, ReturnType<typeof setTimeout>>();

  async load(): Promise<void> {
    try {
      this.items = (await api.listConversations()).items;
      if (this.#words) await this.#find();
      this.models ??= await api.listModels();
      this.trouble = null;
    } catch (error) {
      this.trouble = troubleOf(error);
    }
    this.phase = "ready";
  }

  /** Begin a conversation that draws on one collection alone; its id. */
  async beginAbout(collection_id: string): Promise<string> {
    const { id } = await api.createConversation({ collection_id });
    await this.load();
    return id;
  }

  find(id: string | null): Conversation | undefined {
    return this.items.find((item) => item.id === id);
  }

  /** Show a title that the server has already given. */
  retitle(id: string, title: string): void {
    this.items = this.items.map((item) => (item.id === id ? { ...item, title } : item));
  }

  async rename(id: string, title: string): Promise<void> {
    try {
      await api.renameConversation(id, title);
      await this.load();
    } catch (error) {
      this.trouble = troubleOf(error);
    }
  }

  /** Look for words in titles and in what was said, once no more of them come. */
  async search(words: string): Promise<void> {
    this.#words = words.trim();
    this.#asked.abort();
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    if (!this.#words) {
      this.found = null;
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, TYPING_REST_MS));
    if (signal.aborted) return;
    try {
      await this.#find();
      this.trouble = null;
    } catch (error) {
      if (!signal.aborted) this.trouble = troubleOf(error);
    }
  }

  async #find(): Promise<void> {
    const { signal } = this.#asked;
    const { items } = await api.listConversations({ q: this.#words }, signal);
    if (!signal.aborted) this.found = items;
  }

  /** Delete in a while, so that it can be undone: until then the server still has it all. */
  remove(id: string): void {
    if (!this.#timers.size) addEventListener("pagehide", this.#leave);
    this.doomed.add(id);
    this.#timers.set(
      id,
      setTimeout(() => void this.#delete(id), UNDO_MS),
    );
  }

  undo(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#forget(id);
  }

  async #delete(id: string): Promise<void> {
    try {
      await api.deleteConversation(id);
      await this.load();
    } catch (error) {
      this.trouble = troubleOf(error);
    }
    this.#forget(id);
  }

  #forget(id: string): void {
    this.doomed.delete(id);
    this.#timers.delete(id);
    if (!this.#timers.size) removeEventListener("pagehide", this.#leave);
  }

  /** Who leaves the page has thought enough. */
  #leave = () => {
    for (const id of this.#timers.keys()) void api.deleteConversation(id, true);
  };
}

export const conversations = new Conversations();
