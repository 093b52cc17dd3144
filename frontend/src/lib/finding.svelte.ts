import { actions, type Action } from "./actions";
import { address, conversationAt } from "./address.svelte";
import * as api from "./api";
import { hasWords } from "./completion";
import { troubleOf } from "./failure";
import { screen } from "./screen.svelte";

export interface Group {
  name: string;
  items: Action[];
}

const EACH = 6;
const TYPING_REST_MS = 120;

/** What the command palette lists for the words in it. */
export class Finding {
  words = $state("");
  trouble = $state("");
  #groups = $state.raw<Group[]>([]);
  #asked = new AbortController();
  groups = $derived([
    { name: "Actions", items: actions().filter(({ name }) => hasWords(name, this.words)) },
    ...this.#groups,
  ]);

  /** Ask the server for these words, unless more of them come. */
  async find(words: string): Promise<void> {
    this.#asked.abort();
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    await new Promise((resolve) => setTimeout(resolve, TYPING_REST_MS));
    if (signal.aborted) return;
    try {
      const groups = await search(words.trim(), signal);
      if (signal.aborted) return;
      this.#groups = groups;
      this.trouble = "";
    } catch (error) {
      if (!signal.aborted) this.trouble = troubleOf(error).sentence;
    }
  }
}

async function search(q: string, signal: AbortSignal): Promise<Group[]> {
  const wanted = { limit: EACH, ...(q ? { q } : {}) };
  const [talks, videos] = await Promise.all([
    api.listConversations(wanted, signal),
    api.listVideos({ ...wanted, status: "ready" }, signal),
  ]);
  return [
    {
      name: "Conversations",
      items: talks.items.map(({ id, title, found }) => ({
        id,
        name: title,
        icon: "chat",
        found: found ?? null,
        run: () => go(conversationAt(id, found?.message_id)),
      })),
    },
    {
      name: "Videos",
      items: videos.items.map(({ id, title }) => ({
        id,
        name: title,
        icon: "play",
        run: () => go(`/v/${id}`),
      })),
    },
  ];
}

function go(path: string): void {
  address.go(path);
  screen.show(path.startsWith("/v/") ? "video" : "chat");
}
