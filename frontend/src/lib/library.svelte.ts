import * as api from "./api";
import { adding } from "./adding.svelte";
import { collections } from "./collections.svelte";
import type { Named } from "./drafts";
import { troubleOf, type Trouble } from "./failure";
import { PAGE, pagesOf, place, type Sparse } from "./pages";
import { queue } from "./queue.svelte";
import { afterJob } from "./queue";
import type { Job, Video, VideoStatus } from "./types";

const TYPING_REST_MS = 200;
const REFRESH_EVERY_MS = 1_000;
const AT_ONCE = 500;

export type Sort = NonNullable<api.VideoQuery["sort"]>;

export interface Filter {
  q: string;
  status: VideoStatus | null;
  collection_id: string | null;
  sort: Sort;
}

const EVERYTHING: Filter = { q: "", status: null, collection_id: null, sort: "added" };

/** The person's videos: a window on a list that the server filters, sorts and pages. */
class Library {
  phase = $state<"loading" | "ready" | "failed">("loading");
  trouble = $state.raw<Trouble | null>(null);
  filter = $state.raw<Filter>(EVERYTHING);
  /** As long as the whole list; pages that nobody has looked at are missing. */
  rows = $state.raw<Sparse<Video>>([]);
  /** Whether what is shown still answers the filter before. */
  searching = $state(false);
  /** Counts the filters that were answered: the list starts from its top for each. */
  answer = $state(0);
  /** All videos, whatever the filter; and whether there is one to ask about. */
  size = $state(0);
  hasReady = $state(false);
  narrowed = $derived(Boolean(this.filter.q || this.filter.status || this.filter.collection_id));

  #window = { from: 0, to: 1 };
  #stale = new Set<number>();
  #loading = new Set<number>();
  #asked = new AbortController();
  #typing: ReturnType<typeof setTimeout> | undefined;
  #refreshing: ReturnType<typeof setTimeout> | undefined;

  /** Load the list and keep it true until the returned function is called. */
  follow(): () => void {
    void this.refresh();
    const stops = [
      // What failed a short while ago is not tried again, so that no job tells of it.
      adding.listen(
        () => void Promise.all([this.refresh(), queue.readFailed(), collections.load()]),
      ),
      queue.listen((jobs, added) => this.#hear(jobs, added)),
      queue.follow(),
    ];
    return () => {
      stops.forEach((stop) => stop());
      clearTimeout(this.#refreshing);
      clearTimeout(this.#typing);
    };
  }

  /** Show other videos; words that are being typed are waited for. */
  show(change: Partial<Filter>): void {
    const { collection_id } = change;
    // A collection has an order of its own, which nothing else has.
    const sort = collection_id === undefined ? {} : { sort: usualSort(collection_id) };
    this.filter = { ...this.filter, ...sort, ...change };
    this.searching = true;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => void this.#ask(), "q" in change ? TYPING_REST_MS : 0);
  }

  /** The rows that the screen shows now: what is missing of them is fetched. */
  look(from: number, to: number): void {
    this.#window = { from, to };
    if (this.phase !== "ready" || this.searching) return;
    for (const offset of pagesOf(from, Math.min(to, this.rows.length)))
      if (this.#lacks(offset)) void this.#load(offset);
  }

  /** Read again what is on the screen; the rest is read again when it is looked at. */
  async refresh(): Promise<void> {
    for (let at = 0; at < Math.max(1, this.rows.length); at += PAGE) this.#stale.add(at);
    const { from, to } = this.#window;
    await Promise.all([
      ...pagesOf(from, Math.max(to, from + 1)).map((at) => this.#load(at)),
      this.#count(),
    ]);
  }

  /** The ids of all videos that the filter lets through, at most as many as a collection takes. */
  async allIds(): Promise<string[]> {
    const ids: string[] = [];
    for (;;) {
      const query = { ...wanted(this.filter), limit: AT_ONCE, offset: ids.length };
      const { items, total } = await api.listVideos(query);
      ids.push(...items.map(({ id }) => id));
      if (!items.length || ids.length >= total) return ids;
    }
  }

  /** Videos with their titles, also those that were not looked at. */
  named(ids: readonly string[]): Promise<Named[]> {
    return Promise.all(
      ids.map(async (id) => {
        const { title } = this.rows.find((row) => row?.id === id) ?? (await api.readVideo(id));
        return { id, name: title };
      }),
    );
  }

  async remove(video: Video): Promise<void> {
    await api.deleteVideo(video.id);
    queue.forget(video.id);
    this.rows = this.rows.filter((row) => row?.id !== video.id);
    await this.refresh();
    void collections.load();
  }

  #lacks(offset: number): boolean {
    const end = Math.min(offset + PAGE, this.rows.length);
    const missing = this.rows.slice(offset, end).some((row) => row === undefined);
    return (missing || this.#stale.has(offset)) && !this.#loading.has(offset);
  }

  async #ask(): Promise<void> {
    this.#asked.abort();
    this.#asked = new AbortController();
    this.#loading.clear();
    this.#window = { from: 0, to: 1 };
    await this.#load(0, true);
  }

  async #load(offset: number, anew = false): Promise<void> {
    const { signal } = this.#asked;
    this.#loading.add(offset);
    this.#stale.delete(offset);
    try {
      const query = { ...wanted(this.filter), limit: PAGE, offset };
      const { items, total } = await api.listVideos(query, signal);
      if (signal.aborted) return;
      this.rows = place(anew ? [] : this.rows, items, offset, total);
      if (!this.narrowed) this.size = total;
      if (anew) {
        this.#stale.clear();
        this.answer += 1;
      }
      this.phase = "ready";
      this.trouble = null;
    } catch (error) {
      if (signal.aborted) return;
      this.trouble = troubleOf(error);
      if (this.phase === "loading") this.phase = "failed";
    }
    this.searching = false;
    this.#loading.delete(offset);
  }

  /** What the window on the list does not show of the whole library. */
  async #count(): Promise<void> {
    try {
      const [all, ready] = await Promise.all([
        api.listVideos({ limit: 1 }),
        api.listVideos({ limit: 1, status: "ready" }),
      ]);
      this.size = all.total;
      this.hasReady = ready.total > 0;
    } catch (error) {
      this.trouble = troubleOf(error);
    }
  }

  #hear(jobs: Job[], added: boolean): void {
    const byVideo = new Map(jobs.map((job) => [job.video_id, job]));
    let ended = added || (!this.hasReady && jobs.some(({ status }) => status === "done"));
    let changed = false;
    const rows = this.rows.map((row) => {
      const job = row && byVideo.get(row.id);
      if (!job) return row;
      ended ||= job.status === "done" || job.status === "failed";
      const after = afterJob(row, job);
      changed ||= after !== row;
      return after;
    });
    if (changed) this.rows = rows;
    if (ended) this.#refreshSoon();
  }

  /** However many jobs end, the screen is read again at most once a second. */
  #refreshSoon(): void {
    this.#refreshing ??= setTimeout(() => {
      this.#refreshing = undefined;
      void this.refresh();
      if (this.filter.collection_id || !queue.active) void collections.load();
    }, REFRESH_EVERY_MS);
  }
}

export const usualSort = (collection_id: string | null): Sort =>
  collection_id ? "position" : "added";

function wanted({ q, status, collection_id, sort }: Filter): api.VideoQuery {
  return {
    sort,
    ...(q.trim() ? { q: q.trim() } : {}),
    ...(status ? { status } : {}),
    ...(collection_id ? { collection_id } : {}),
  };
}

export const library = new Library();
