import * as api from "./api";
import { troubleOf, type Trouble } from "./failure";
import { Frames } from "./frames";
import { batchOf, inOrder, isActive, isNews, tally, type Jobs } from "./queue";
import type { Job, JobStatus } from "./types";

const AT_ONCE = 500;
const OVER: JobStatus[] = ["failed", "cancelled"];
const ACTIVE: JobStatus[] = ["queued", "running", "paused"];

/** Told what changed, and whether there are jobs among it that nobody had heard of. */
type Listener = (changed: Job[], added: boolean) => void;

/** The work of loading videos, as the server reports it. */
class Queue {
  connected = $state(true);
  trouble = $state.raw<Trouble | null>(null);
  shown = $state(false);
  /** How many jobs each batch has that is being loaded, until all of them are over. */
  totals = $state.raw<ReadonlyMap<string, number>>(new Map());

  // A plain map and a count of its changes: a burst of a thousand events costs one update.
  #jobs: Jobs = new Map();
  #version = $state(0);
  #listeners = new Set<Listener>();
  #frames = new Frames<Job>(
    (job) => job.id,
    (jobs) => this.#take(jobs),
  );

  tally = $derived.by(() => tally(this.#all(), this.totals));
  active = $derived(this.tally.queued + this.tally.running + this.tally.paused);
  failed = $derived.by(() => [...this.#all()].filter(({ status }) => status === "failed"));

  /** Follow the jobs until the returned function is called. */
  follow(): () => void {
    const stream = new EventSource("/api/jobs/stream");
    let opened = false;
    stream.onopen = () => {
      void this.readFailed();
      if (opened) void this.#catchUp();
      opened = this.connected = true;
    };
    stream.onerror = () => (this.connected = false);
    stream.onmessage = ({ data }) => this.#frames.push(JSON.parse(String(data)) as Job);
    return () => stream.close();
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The last job of a video. */
  job(video_id: string): Job | undefined {
    void this.#version;
    return this.#jobs.get(video_id);
  }

  /** The jobs of these statuses, what is under way first. */
  list(...statuses: JobStatus[]): Job[] {
    return inOrder([...this.#all()].filter(({ status }) => statuses.includes(status)));
  }

  steer(job: Job, steer: api.Steer): Promise<void> {
    return this.#try(async () => this.#take([await api.steerJob(job.id, steer)]));
  }

  /** The same for all jobs; how many it changed, or null where that was not to be had. */
  async steerAll(steer: api.Steer): Promise<number | null> {
    let changed: number | null = null;
    await this.#try(async () => ({ changed } = await api.steerJobs(steer)));
    return changed;
  }

  /** Read what failed, of which the stream does not tell unless it happens now. */
  readFailed(): Promise<void> {
    return this.#try(async () => this.#take(await all({ status: OVER }), false));
  }

  /** Read what was over before this page was opened, of the batches that are being loaded. */
  async readBatches(): Promise<void> {
    const batches = [...this.totals].filter(([, size]) => size > 1).map(([id]) => id);
    for (const batch_id of batches)
      await this.#try(async () => this.#take(await all({ batch_id }), false));
  }

  /** Forget a video that left the library. */
  forget(video_id: string): void {
    const job = this.#jobs.get(video_id);
    if (!job) return;
    this.#jobs.delete(video_id);
    const batch = batchOf(job);
    const size = this.totals.get(batch);
    if (size) this.totals = new Map(this.totals).set(batch, size - 1);
    this.#version += 1;
  }

  #all(): Iterable<Job> {
    void this.#version;
    return this.#jobs.values();
  }

  #take(jobs: Job[], mayStart = true): void {
    const news = jobs.filter((job) => isNews(job, this.#jobs.get(job.video_id)));
    if (!news.length) return;
    const idle = this.active === 0;
    const added = news.some((job) => this.#jobs.get(job.video_id)?.id !== job.id);
    for (const job of news) this.#jobs.set(job.video_id, job);
    this.#version += 1;
    if (mayStart) this.#start(news.filter(isActive), idle);
    for (const listener of this.#listeners) listener(news, added);
  }

  /** Count the batches of jobs that began; those that were over when they did no longer count. */
  #start(began: Job[], idle: boolean): void {
    if (!began.length) return;
    const totals = new Map(idle ? [] : this.totals);
    const fresh = new Set(began.map(batchOf).filter((batch) => !totals.has(batch)));
    if (!fresh.size) return;
    for (const batch of fresh) totals.set(batch, 0);
    for (const job of this.#jobs.values()) {
      const batch = batchOf(job);
      if (fresh.has(batch)) totals.set(batch, (totals.get(batch) ?? 0) + 1);
    }
    this.totals = totals;
    for (const { batch_id } of began)
      if (batch_id && fresh.delete(batch_id)) void this.#measure(batch_id);
  }

  /** What of a batch was over before its first event is not among the jobs, but counts. */
  #measure(batch_id: string): Promise<void> {
    return this.#try(async () => {
      const { total } = await api.listJobs({ batch_id, limit: 1 });
      if (this.totals.has(batch_id)) this.totals = new Map(this.totals).set(batch_id, total);
    });
  }

  /** What ended while the stream was away is no longer among the active jobs. */
  #catchUp(): Promise<void> {
    return this.#try(async () => {
      const active = new Set((await all({ status: ACTIVE })).map(({ id }) => id));
      for (const [video_id, job] of this.#jobs)
        if (isActive(job) && !active.has(job.id)) this.#jobs.delete(video_id);
      this.#version += 1;
      for (const listener of this.#listeners) listener([], true);
    });
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.trouble = null;
    } catch (error) {
      this.trouble = troubleOf(error);
    }
  }
}

async function all(query: { status?: JobStatus[]; batch_id?: string }): Promise<Job[]> {
  const jobs: Job[] = [];
  for (;;) {
    const { items, total } = await api.listJobs({ ...query, limit: AT_ONCE, offset: jobs.length });
    jobs.push(...items);
    if (!items.length || jobs.length >= total) return jobs;
  }
}

export const queue = new Queue();
