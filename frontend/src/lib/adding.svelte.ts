import * as api from "./api";
import { troubleOf, type Trouble } from "./failure";
import { namesNothing } from "./sources";
import type { AddedSource, Price } from "./types";

export interface Refusal {
  source: string;
  sentence: string;
  next_step: string;
}

/** What a person wants of the links whose price is being asked. */
export interface Wishes {
  limit: number | null;
  language: string;
  subscribe: boolean;
  generate: boolean;
}

/** Bringing videos in: links at once or after their price was seen, files, the sample. */
class Adding {
  /** What is pasted and not added yet. */
  draft = $state("");
  /** What could not be added at all, so that no row of the list shows it. */
  refusals = $state.raw<Refusal[]>([]);
  nameless = $state.raw<File | null>(null);
  /** The links whose price is asked; null when nothing is to be decided. */
  links = $state.raw<string[] | null>(null);
  wishes = $state<Wishes>({ limit: null, language: "", subscribe: false, generate: false });
  price = $state.raw<Price | null>(null);
  pricing = $state(false);
  trouble = $state.raw<Trouble | null>(null);
  #listeners = new Set<() => void>();
  #asked = new AbortController();

  /** Call this after something came in, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  addLinks(links: string[], language: string): Promise<void> {
    this.refusals = [];
    const source = links.length === 1 ? (links[0] ?? "") : "These links";
    return this.#add(() => api.addVideos({ urls: links, ...named(language) }), source);
  }

  /** Ask first what the links would load and cost. */
  ask(links: string[], language: string): Promise<void> {
    this.refusals = [];
    this.price = null;
    this.links = links;
    this.wishes = { limit: null, language, subscribe: false, generate: false };
    return this.reprice();
  }

  /** The price of what is wished now; the server has kept the list, so this is quick. */
  async reprice(): Promise<void> {
    this.#asked.abort();
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    this.pricing = true;
    this.trouble = null;
    try {
      const price = await api.priceVideos(this.#order(), signal);
      if (signal.aborted) return;
      this.price = price;
    } catch (error) {
      if (signal.aborted) return;
      this.trouble = troubleOf(error);
    }
    this.pricing = false;
  }

  /** Load what was asked about. Throws what the dialog shows. */
  async confirm(): Promise<void> {
    const seen = new Set(this.price?.items.map(({ source, failure }) => failure && source));
    const { items } = await api.addVideos(this.#order());
    this.refusals = items.filter((item) => isRefused(item) && !seen.has(item.source)).map(refusal);
    this.draft = "";
    this.#tell();
  }

  /** Nothing is to be decided any more; a list that is being looked up is let go of. */
  close(): void {
    this.#asked.abort();
    this.links = null;
    this.price = null;
    this.pricing = false;
    this.trouble = null;
  }

  /** Take files in; one that cannot name its video is first asked about, through `nameless`. */
  async offer(files: File[]): Promise<void> {
    this.refusals = [];
    const [only] = files;
    if (only && files.length === 1 && namesNothing(only.name)) this.nameless = only;
    else for (const file of files) await this.#add(() => api.uploadTranscript(file), file.name);
  }

  addFile(file: File, details: api.FileDetails): Promise<void> {
    return this.#add(() => api.uploadTranscript(file, details), file.name);
  }

  addSample(): Promise<void> {
    this.refusals = [];
    return this.#add(api.addSample, "The sample");
  }

  /** Show in the library that a source could not be added. */
  refuse(source: string, { sentence }: Trouble): void {
    this.refusals = [...this.refusals, { source, sentence, next_step: "" }];
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #order(): api.Order {
    const { limit, language, subscribe, generate } = this.wishes;
    return {
      urls: this.links ?? [],
      subscribe,
      generate,
      ...(limit ? { limit } : {}),
      ...named(language),
    };
  }

  async #add(send: () => Promise<{ items: AddedSource[] }>, source: string): Promise<void> {
    try {
      const { items } = await send();
      this.refusals = [...this.refusals, ...items.filter(isRefused).map(refusal)];
      this.#tell();
    } catch (error) {
      this.refuse(source, troubleOf(error));
    }
  }
}

const named = (language: string) => (language.trim() ? { language: language.trim() } : {});

const isRefused = ({ status, video_id, collection_id }: AddedSource) =>
  status === "failed" && !video_id && !collection_id;

function refusal({ source, failure }: AddedSource): Refusal {
  return {
    source,
    sentence: failure?.detail ?? "This could not be added.",
    next_step: failure?.next_step ?? "",
  };
}

export const adding = new Adding();
