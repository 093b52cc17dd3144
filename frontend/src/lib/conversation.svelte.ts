import { address } from "./address.svelte";
import * as api from "./api";
import { conversations } from "./conversations.svelte";
import { ChatSocket, type ChatEvent } from "./events";
import { troubleOf, type Trouble } from "./failure";
import { advance, newRun, type Run } from "./run";
import type { Message } from "./types";

export interface Question {
  content: string;
  video_ids?: string[];
  model?: string;
}

/** The open conversation: its messages, and the run that is making the next one. */
class OpenConversation {
  id = $state<string | null>(null);
  phase = $state<"empty" | "loading" | "ready" | "failed">("empty");
  trouble = $state<Trouble | null>(null);
  messages = $state.raw<Message[]>([]);
  run = $state.raw<Run | null>(null);
  connected = $state(true);
  draft = $state("");
  busy = $derived(this.run !== null && this.run.phase !== "settled");

  #socket: ChatSocket | null = null;
  #left = new AbortController();
  #asked: Question | null = null;
  #opening: Promise<void> = Promise.resolve();
  #waiting: ChatEvent[] = [];

  /** Show a conversation, or with null the blank page where the next one starts. */
  async open(id: string | null): Promise<void> {
    if (id === this.id && this.phase !== "failed") return;
    this.#leave();
    this.id = id;
    this.phase = id ? "loading" : "empty";
    this.#opening = id ? this.#read(id) : Promise.resolve();
    await this.#opening;
  }

  async #read(id: string): Promise<void> {
    const { signal } = this.#left;
    try {
      const { items } = await api.listMessages(id);
      if (signal.aborted) return;
      this.#show(items);
      this.phase = "ready";
      this.#connect(id);
    } catch (error) {
      if (signal.aborted) return;
      this.trouble = troubleOf(error);
      this.phase = "failed";
    }
  }

  /** Ask; what is asked of a conversation that is still being opened waits until it is. */
  async ask(question: Question): Promise<void> {
    await this.#opening;
    if (this.phase === "failed") {
      this.draft ||= question.content;
      return;
    }
    this.#settle();
    this.#asked = question;
    this.run = newRun(question.content);
    if (!this.id) await this.#begin();
    this.#socket?.send({ type: "ask", ...question });
  }

  /** Ask the last question again, as it was asked. */
  retry(): void {
    const content = this.run?.question ?? lastQuestion(this.messages);
    if (content) void this.ask(this.#asked?.content === content ? this.#asked : { content });
  }

  stop(): void {
    if (this.run) this.run = { ...this.run, stopped: true };
    this.#socket?.send({ type: "stop" });
  }

  confirm(accept: boolean): void {
    if (this.run) this.run = { ...this.run, confirm: null };
    this.#socket?.send({ type: "confirm", accept });
  }

  async #begin(): Promise<void> {
    try {
      const { id } = await api.createConversation();
      this.id = id;
      this.phase = "ready";
      this.#connect(id);
      address.go(`/c/${id}`);
      void conversations.load();
    } catch (error) {
      this.#fail(troubleOf(error));
    }
  }

  #fail({ sentence, retryable }: Trouble): void {
    const error = { error: "request_failed", detail: sentence, retryable };
    if (this.run) this.run = { ...this.run, phase: "settled", error };
  }

  async #messagesNow(id: string): Promise<Message[]> {
    try {
      return (await api.listMessages(id)).items;
    } catch (error) {
      this.#fail(troubleOf(error));
      return [];
    }
  }

  /** Take messages as the server has them; one still being written goes on where it is. */
  #show(messages: Message[]): void {
    const last = messages.at(-1);
    const running = last?.role === "assistant" && last.status === "running" ? last : null;
    this.messages = messages.filter((message) => message !== running);
    this.run = null;
    if (!running) return;
    const question = this.messages.at(-1);
    this.messages = this.messages.slice(0, -1);
    this.run = newRun(question?.content ?? "", running.run_id);
  }

  #connect(id: string): void {
    const socket = new ChatSocket(`${location.origin.replace(/^http/, "ws")}/api/chat/${id}`);
    if (this.run?.id) socket.send({ type: "resume", run_id: this.run.id, after: 0 });
    this.#socket = socket;
    void this.#listen(socket, this.#left.signal);
  }

  async #listen(socket: ChatSocket, signal: AbortSignal): Promise<void> {
    for await (const event of socket.events(signal)) {
      if (signal.aborted) return;
      if (event.type === "connection") {
        const back = event.state === "open" && !this.connected;
        this.connected = event.state === "open";
        if (back) await this.#afterGap(socket);
      } else this.#hear(event);
    }
  }

  /** A line lost between the question and its `started`: find out whether the server has it. */
  async #afterGap(socket: ChatSocket): Promise<void> {
    if (!this.busy || this.run?.id || !this.id) return;
    const items = await this.#messagesNow(this.id);
    const asked = items.findLast((message) => message.role === "user");
    if (asked?.content !== this.run?.question || !asked) return;
    const answer = items.findLast(
      (message) => message.run_id === asked.run_id && message !== asked,
    );
    if (answer && answer.status !== "running") this.#show(items);
    else socket.send({ type: "resume", run_id: asked.run_id, after: 0 });
  }

  /** Tokens can come faster than a screen draws, so what has come is taken in once a frame. */
  #hear(event: ChatEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length === 1) requestAnimationFrame(() => this.#takeIn());
  }

  #takeIn(): void {
    const events = this.#waiting;
    this.#waiting = [];
    let run = this.run ?? newRun("");
    for (const event of events) if (event.type !== "connection") run = advance(run, event);
    // Refused before it became a run: the words go back to where they can be changed.
    if (events.some((event) => event.type === "error" && !event.run_id))
      this.draft ||= run.question;
    if (run.title && run.title !== this.run?.title && this.id)
      conversations.retitle(this.id, run.title);
    if (run.phase === "settled" && this.run?.phase !== "settled") void conversations.load();
    this.run = run;
  }

  /** Move a finished run's question and answer among the messages. */
  #settle(): void {
    const run = this.run;
    if (!run) return;
    const asked = {
      ...blank(run),
      id: `asked-${run.id}`,
      role: "user" as const,
      content: run.question,
    };
    const error = run.error && { error: run.error.error, detail: run.error.detail };
    const unfinished = {
      ...blank(run),
      status: error ? ("failed" as const) : ("stopped" as const),
      error,
    };
    this.messages = [...this.messages, asked, run.message ?? unfinished];
    this.run = null;
  }

  #leave(): void {
    this.#left.abort();
    this.#left = new AbortController();
    this.#socket = null;
    this.#asked = null;
    this.#waiting = [];
    this.messages = [];
    this.run = null;
    this.trouble = null;
    this.connected = true;
  }
}

function lastQuestion(messages: Message[]): string | undefined {
  return messages.findLast((message) => message.role === "user")?.content;
}

function blank(run: Run): Message {
  return {
    id: `answer-${run.id}`,
    role: "assistant",
    content: run.text,
    status: "complete",
    citations: [],
    intent: null,
    model: null,
    usage: null,
    error: null,
    created_at: new Date().toISOString(),
    run_id: run.id ?? "",
  };
}

export const conversation = new OpenConversation();
