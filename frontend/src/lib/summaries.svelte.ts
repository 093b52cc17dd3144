import * as api from "./api";
import { conversations } from "./conversations.svelte";
import { troubleOf } from "./failure";
import { Frames } from "./frames";
import { readEvents } from "./sse";
import { cut, found, LOOKING, MAKING, tell, type SummaryEvent, type Told } from "./summary";
import type { NewSummary, SummaryStyle } from "./types";

interface Kept {
  key: string;
  told: Told;
}

/** What was made of videos, each kept while the page is open: a making goes on out of sight. */
class Summaries {
  #kept = $state.raw<ReadonlyMap<string, Told>>(new Map());
  #asked = new Map<string, NewSummary>();
  #frames = new Frames<Kept>(
    ({ key }) => key,
    (kept) => this.#keep(...kept),
  );

  of(video_id: string, style: SummaryStyle): Told {
    return this.#kept.get(keyOf(video_id, style)) ?? LOOKING;
  }

  /** Show the stored one. Quotations cost nothing, so without a model they are made at once. */
  async look(video_id: string, style: SummaryStyle): Promise<void> {
    const key = keyOf(video_id, style);
    if (this.#kept.has(key)) return;
    this.#keep({ key, told: LOOKING });
    try {
      this.#keep({ key, told: found(await api.readSummary(video_id, style)) });
    } catch (error) {
      if (!(error instanceof api.ApiError) || error.status !== 404) this.#fail(key, error);
      else if (await this.#canWrite()) this.#keep({ key, told: { ...LOOKING, phase: "missing" } });
      else await this.make(video_id, { style });
    }
  }

  /** Have one made, or made otherwise; what is stored already comes at once. */
  async make(video_id: string, summary: NewSummary): Promise<void> {
    const key = keyOf(video_id, summary.style);
    let told = MAKING;
    this.#asked.set(key, summary);
    this.#keep({ key, told });
    try {
      const stream = await api.makeSummary(video_id, summary);
      for await (const event of readEvents<SummaryEvent>(stream)) {
        told = tell(told, event);
        this.#frames.push({ key, told });
      }
      if (told.phase === "making") this.#frames.push({ key, told: cut(told) });
    } catch (error) {
      // A line that breaks while it is read is no answer of the API's.
      if (error instanceof TypeError) this.#frames.push({ key, told: cut(told) });
      else this.#fail(key, error);
    }
  }

  /** Do again what failed: the making, or the look whether there is one. */
  retry(video_id: string, style: SummaryStyle): Promise<void> {
    const asked = this.#asked.get(keyOf(video_id, style));
    if (asked) return this.make(video_id, asked);
    this.#kept = new Map([...this.#kept].filter(([key]) => key !== keyOf(video_id, style)));
    return this.look(video_id, style);
  }

  async #canWrite(): Promise<boolean> {
    try {
      return (conversations.models ?? (await api.listModels())).chat_configured;
    } catch (error) {
      troubleOf(error); // then it is offered, and the offer says what stands against it
      return true;
    }
  }

  #fail(key: string, error: unknown): void {
    this.#keep({ key, told: { ...LOOKING, phase: "failed", trouble: troubleOf(error) } });
  }

  #keep(...kept: Kept[]): void {
    this.#kept = new Map([
      ...this.#kept,
      ...kept.map(({ key, told }): [string, Told] => [key, told]),
    ]);
  }
}

const keyOf = (video_id: string, style: SummaryStyle) => `${style} ${video_id}`;

export const summaries = new Summaries();
