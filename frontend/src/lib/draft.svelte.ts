import {
  BLANK,
  keepDraft,
  readDraft,
  type ChosenTemplate,
  type Drafted,
  type Named,
} from "./drafts";

/** What a question narrows itself to; the conversation's own, or the whole library, where nothing. */
export interface Scope {
  video_ids?: string[];
  collection_id?: string;
}

/** What an ask takes beside its words and its model. */
export interface Asking extends Scope {
  template?: string;
  variables?: Record<string, string>;
}

/** The question being written in the open conversation, kept across reloads. */
class Draft {
  #drafted = $state.raw<Drafted>(BLANK);
  /** Undefined until the page knows which conversation is open. */
  #conversation: string | null | undefined;
  isReady = $derived(this.#drafted.text.trim().length > 0 && this.missing === undefined);

  get text(): string {
    return this.#drafted.text;
  }

  set text(text: string) {
    this.#change({ text });
  }

  get videos(): readonly Named[] {
    return this.#drafted.videos;
  }

  get collection(): Named | null {
    return this.#drafted.collection;
  }

  get template(): ChosenTemplate | null {
    return this.#drafted.template;
  }

  get values(): Readonly<Record<string, string>> {
    return this.#drafted.values;
  }

  get scope(): Scope {
    const { videos, collection } = this.#drafted;
    return {
      ...(videos.length ? { video_ids: videos.map(({ id }) => id) } : {}),
      ...(collection ? { collection_id: collection.id } : {}),
    };
  }

  /** A blank of the template that has no words yet. */
  get missing(): string | undefined {
    return this.template?.variables.find((name) => !this.values[name]?.trim());
  }

  /** Go on with what was being written in this conversation. */
  open(conversation: string | null): void {
    if (conversation === this.#conversation) return;
    const early = this.#conversation === undefined && this.#drafted.text;
    this.#conversation = conversation;
    if (early) this.#change({});
    else this.#drafted = readDraft(conversation);
  }

  /** The blank page has become this conversation. */
  become(conversation: string): void {
    keepDraft(null, BLANK);
    this.#conversation = conversation;
    this.#change({});
  }

  addVideo(video: Named): void {
    const others = this.#drafted.videos.filter(({ id }) => id !== video.id);
    this.askAbout([...others, video]);
  }

  /** A question is about videos or about a collection, not both. */
  askAbout(videos: Named[]): void {
    this.#change({ videos, collection: null });
  }

  choose(collection: Named): void {
    this.#change({ videos: [], collection });
  }

  drop(id: string): void {
    const { videos, collection } = this.#drafted;
    this.#change({
      videos: videos.filter((video) => video.id !== id),
      collection: collection?.id === id ? null : collection,
    });
  }

  writeBy(template: ChosenTemplate | null): void {
    this.#change({ template, values: {} });
  }

  fill(name: string, value: string): void {
    this.#change({ values: { ...this.values, [name]: value } });
  }

  /** What is asked with the words; the next question is of the same videos, but no post. */
  take(): Asking & { content: string } {
    const { text, template, values } = this.#drafted;
    this.#change({ text: "", template: null, values: {} });
    return {
      content: text.trim(),
      ...this.scope,
      ...(template ? { template: template.id } : {}),
      ...(template?.variables.length ? { variables: values } : {}),
    };
  }

  #change(change: Partial<Drafted>): void {
    this.#drafted = { ...this.#drafted, ...change };
    if (this.#conversation !== undefined) keepDraft(this.#conversation, this.#drafted);
  }
}

export const draft = new Draft();
