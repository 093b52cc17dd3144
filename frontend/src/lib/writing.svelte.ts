import { tick } from "svelte";

import * as api from "./api";
import { conversation } from "./conversation.svelte";
import { asDrafts, withDraft, type Drafts } from "./edits";
import { troubleOf } from "./failure";
import { keep, readKept } from "./kept";
import { isPost } from "./post";
import { versionsOf } from "./turns";
import type { Message } from "./types";

const NAME = "posts";

/** The post that is being worked on in the writing view, as it was written and as it was changed. */
class Writing {
  id = $state<string | null>(null);
  /** Whether it is being written anew. */
  awaited = $state(false);
  /** The posts written to the same request, the latest first: that one is in the conversation. */
  versions = $state.raw<Message[]>([]);
  #latest = "";
  #drafts = $state.raw<Drafts>([]);
  #opener: Element | null = null;

  run = $derived(this.awaited ? conversation.run : null);
  message = $derived(
    this.awaited
      ? (this.run?.message ?? null)
      : ([conversation.run?.message, ...conversation.messages, ...this.versions].find(
          (one) => one?.id === this.id,
        ) ?? null),
  );
  /** Text that is not there whole yet cannot be changed. */
  busy = $derived(this.awaited && !this.message);
  text = $derived(this.message ? this.#text(this.message) : (this.run?.text ?? ""));
  changed = $derived(this.message !== null && this.text !== this.message.content);

  open(message: Message): void {
    this.#opener = document.activeElement;
    this.#drafts = asDrafts(readKept(NAME));
    this.id = this.#latest = message.id;
    this.awaited = false;
    void this.#readVersions();
  }

  /** Show another of the posts that were written. */
  show(version: Message): void {
    this.id = version.id;
  }

  async #readVersions(): Promise<void> {
    const latest = this.#latest;
    if (!conversation.id) return;
    try {
      const { items } = await api.listMessages(conversation.id, { replaced: true });
      if (latest === this.#latest) this.versions = versionsOf(items, latest).filter(isPost);
    } catch (error) {
      troubleOf(error); // the post itself is there all the same
    }
  }

  /** Close the view; who comes back is where they were, or at the question. */
  async close(): Promise<void> {
    const opener = this.#opener;
    this.id = this.#opener = null;
    this.awaited = false;
    this.versions = [];
    this.#latest = "";
    await tick();
    const back = opener?.isConnected ? opener : document.getElementById("question");
    if (back instanceof HTMLElement) back.focus();
  }

  /** Change the text; it is kept in this browser. */
  write(text: string): void {
    if (!this.message) return;
    this.#drafts = withDraft(this.#drafts, this.message.id, text, this.message.content);
    keep(NAME, this.#drafts);
  }

  /** Have it written anew with a wish, such as a tone. */
  wish(wish: string): void {
    if (!this.message || conversation.busy) return;
    this.awaited = conversation.regenerate(this.#latest, { wish });
  }

  /** What was awaited is there, or will not come. */
  settle(): void {
    if (!this.awaited) return;
    if (this.run?.message) this.id = this.#latest = this.run.message.id;
    else if (this.run) return;
    this.awaited = false;
    void this.#readVersions();
  }

  #text({ id, content }: Message): string {
    return this.#drafts.find(([one]) => one === id)?.[1] ?? content;
  }
}

export const writing = new Writing();
