import type { Asking } from "./draft.svelte";
import type { LoadPrice, Offered } from "./offer";
import type { Citation, Made, Message, Usage } from "./types";

/** A passage found for the question, numbered as the answer cites it. */
export interface Passage {
  n: number;
  video_id: string;
  youtube_id: string | null;
  title: string;
  start_s: number;
  end_s: number;
  text: string;
  url: string | null;
}

export type RunEvent = { run_id: string | null; seq: number | null } & (
  | { type: "started" }
  | { type: "status"; step: string; detail: string }
  | { type: "sources"; passages: Passage[] }
  | { type: "token"; text: string }
  | { type: "confirm"; prompt: string; videos?: Offered[]; price?: LoadPrice }
  | {
      type: "message";
      id: string;
      role: Message["role"];
      content: string;
      citations: Citation[];
      intent: string | null;
      model: string | null;
      usage: Usage | null;
      metadata?: Made | null;
    }
  | { type: "suggestions"; message_id: string; questions: string[] }
  | { type: "title"; title: string }
  | {
      type: "error";
      error: string;
      detail: string;
      retryable: boolean;
      retry_after_s?: number;
    }
  | { type: "done" }
);

/** What the socket itself goes through, told in the same stream as what comes over it. */
export interface ConnectionEvent {
  type: "connection";
  state: "open" | "lost";
}

export type ChatEvent = RunEvent | ConnectionEvent;

/** A question with what narrows it and how it is answered; without a word on these, as usual. */
export interface Question extends Asking {
  content: string;
  model?: string;
}

/** What is to be different in an answer that is written anew. */
export interface Otherwise {
  model?: string;
  /** Such as a tone. */
  wish?: string;
}

export type ClientMessage =
  | ({ type: "ask" } & Question)
  | { type: "confirm"; accept: boolean }
  | { type: "stop" }
  | { type: "edit"; message_id: string; content: string }
  | ({ type: "regenerate"; message_id: string } & Otherwise)
  | { type: "resume"; run_id: string; after: number };

const LONGEST_PAUSE_MS = 10_000;

/**
 * One conversation's socket. A run belongs to the server: when the line drops, `events` goes on
 * over a new one, asks for what it missed and lets no event through twice. A run may still tell
 * its last when the next one has begun.
 */
export class ChatSocket {
  #address: string;
  #socket: WebSocket | null = null;
  #outbox: ClientMessage[] = [];
  #heard = new Map<string, number>();

  constructor(address: string) {
    this.#address = address;
  }

  /** Send now, or as soon as the line is up. */
  send(message: ClientMessage): void {
    if (message.type === "resume") this.#heard.set(message.run_id, message.after);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
    else if (message.type !== "resume") this.#outbox.push(message);
  }

  /** Every event in order, over as many sockets as it takes, until `signal` says stop. */
  async *events(signal: AbortSignal): AsyncGenerator<ChatEvent> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      if (attempt > 0) {
        yield { type: "connection", state: "lost" };
        await pause(
          Math.min(LONGEST_PAUSE_MS, 250 * 2 ** attempt) * (0.5 + Math.random() / 2),
          signal,
        );
      }
      for await (const frame of this.#frames(signal)) {
        if (frame === null) {
          attempt = 0;
          this.#catchUp();
          yield { type: "connection", state: "open" };
        } else if (this.#isNew(frame)) yield frame;
      }
    }
  }

  #catchUp(): void {
    const waiting = this.#outbox;
    this.#outbox = [];
    for (const [run_id, after] of this.#heard) this.send({ type: "resume", run_id, after });
    for (const message of waiting) this.send(message);
  }

  #isNew(event: RunEvent): boolean {
    if (event.run_id === null || event.seq === null) return true;
    if (event.seq <= (this.#heard.get(event.run_id) ?? 0)) return false;
    if (event.type === "done") this.#heard.delete(event.run_id);
    else this.#heard.set(event.run_id, event.seq);
    return true;
  }

  /** One socket's life: null once it is open, then what it says. Ends when it closes. */
  async *#frames(signal: AbortSignal): AsyncGenerator<RunEvent | null> {
    if (signal.aborted) return;
    const socket = new WebSocket(this.#address);
    const heard: (RunEvent | null)[] = [];
    let closed = false;
    let wake = () => {};
    const close = () => socket.close();
    socket.onopen = () => (heard.push(null), wake());
    socket.onmessage = ({ data }) => (heard.push(JSON.parse(String(data)) as RunEvent), wake());
    socket.onclose = () => ((closed = true), wake());
    signal.addEventListener("abort", close);
    this.#socket = socket;
    try {
      while (!closed || heard.length) {
        if (!heard.length) await new Promise<void>((resolve) => (wake = resolve));
        while (heard.length && !signal.aborted) yield heard.shift()!;
        if (signal.aborted) return;
      }
    } finally {
      signal.removeEventListener("abort", close);
      socket.close();
    }
  }
}

/** Wait, but not past the moment when the network returns or nobody waits any more. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
