import * as api from "./api";
import { troubleOf, type Trouble } from "./failure";
import { namesNothing } from "./sources";
import type { AddedSource, Job, Video } from "./types";

const RELOAD_DELAY_MS = 150;

export interface Refusal {
  source: string;
  sentence: string;
  next_step: string;
}

/** The person's videos, and the work of loading them as the server reports it. */
class Library {
  phase = $state<"loading" | "ready" | "failed">("loading");
  trouble = $state<Trouble | null>(null);
  videos = $state.raw<Video[]>([]);
  jobs = $state.raw<ReadonlyMap<string, Job>>(new Map());
  /** What could not be added at all, so that no row of the list shows it. */
  refusals = $state.raw<Refusal[]>([]);
  nameless = $state.raw<File | null>(null);
  connected = $state(true);
  ready = $derived(this.videos.filter((video) => video.status === "ready"));

  #stream: EventSource | null = null;
  #reload: ReturnType<typeof setTimeout> | undefined;

  /** Load the list and follow the jobs until the returned function is called. */
  follow(): () => void {
    void this.load();
    const stream = new EventSource("/api/jobs/stream");
    stream.onopen = () => {
      if (!this.connected) void this.load();
      this.connected = true;
    };
    stream.onerror = () => (this.connected = false);
    stream.onmessage = ({ data }) => this.#hear(JSON.parse(String(data)) as Job);
    this.#stream = stream;
    return () => {
      this.#stream?.close();
      clearTimeout(this.#reload);
    };
  }

  async load(): Promise<void> {
    try {
      const [videos, jobs] = await Promise.all([api.listVideos(), api.listJobs()]);
      this.videos = videos.items;
      this.jobs = newest(jobs.items);
      this.phase = "ready";
      this.trouble = null;
    } catch (error) {
      this.trouble = troubleOf(error);
      if (this.phase === "loading") this.phase = "failed";
    }
  }

  #hear(job: Job): void {
    const known = this.jobs.get(job.video_id);
    this.jobs = new Map(this.jobs).set(job.video_id, job);
    const video = this.videos.find(({ id }) => id === job.video_id);
    if (video && known?.status === job.status && known.step === job.step) return;
    clearTimeout(this.#reload);
    this.#reload = setTimeout(() => void this.load(), RELOAD_DELAY_MS);
  }

  find(id: string): Video | undefined {
    return this.videos.find((video) => video.id === id);
  }

  addLinks(links: string[]): Promise<void> {
    this.refusals = [];
    return this.#add(
      () => api.addVideos(links),
      links.length === 1 ? (links[0] ?? "") : "These links",
    );
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

  async #add(send: () => Promise<{ items: AddedSource[] }>, source: string): Promise<void> {
    try {
      const { items } = await send();
      const failed = items.filter((item) => item.status === "failed" && !item.video_id);
      this.refusals = [...this.refusals, ...failed.map(refusal)];
    } catch (error) {
      const { sentence } = troubleOf(error);
      this.refusals = [...this.refusals, { source, sentence, next_step: "" }];
    }
    await this.load();
  }

  async retry(job: Job): Promise<void> {
    await api.retryJob(job.id);
    await this.load();
  }

  async remove(video: Video): Promise<void> {
    await api.deleteVideo(video.id);
    this.videos = this.videos.filter(({ id }) => id !== video.id);
  }
}

function refusal({ source, failure }: AddedSource): Refusal {
  return {
    source,
    sentence: failure?.detail ?? "This could not be added.",
    next_step: failure?.next_step ?? "",
  };
}

/** The last job of each video; the API lists them newest first or not, so times decide. */
function newest(jobs: Job[]): ReadonlyMap<string, Job> {
  const byVideo = new Map<string, Job>();
  for (const job of jobs) {
    const other = byVideo.get(job.video_id);
    if (!other || other.created_at < job.created_at) byVideo.set(job.video_id, job);
  }
  return byVideo;
}

export const library = new Library();
