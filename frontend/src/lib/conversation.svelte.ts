import { address, placeOf, type Place } from "./address.svelte";
import * as api from "./api";
import { conversations } from "./conversations.svelte";
import { draft } from "./draft.svelte";
import { ChatSocket, type ChatEvent, type Otherwise, type Question } from "./events";
import { troubleOf, type Trouble } from "./failure";
import { library } from "./library.svelte";
import { advance, newRun, type Run } from "./run";
import { before, isStored, named, questionOf, settled, turnOf } from "./turns";
import type { Feedback, Message } from "./types";

/** What the address names is asked for while the page still awakes, and shown as soon as it has. */
const ahead = {
  asked: import.meta.env.SSR ? null : askedFor(placeOf(location)),

  /** The messages of a conversation if they are on their way; only once, since they grow old. */
  take(id: string) {
    const { asked } = this;
    this.asked = null;
    return asked?.id === id ? asked.messages : null;
  },
};

function askedFor(place: Place) {
  if (place.page !== "conversation") return null;
  const messages = api.listMessages(place.id);
  messages.catch(() => undefined); // told to who shows them
  return { id: place.id, messages };
}

/** The open conversation: its messages, and the run that is making the next one. */
class OpenConversation {
  id = $state<string | null>(null);
  phase = $state<"empty" | "loading" | "ready" | "failed">("empty");
  trouble = $state<Trouble | null>(null);
  messages = $state.raw<Message[]>([]);
  run = $state.raw<Run | null>(null);
  connected = $state(true);
  /** The message to be shown, where one is named; each request is a new object. */
  aim = $state.raw<{ id: string } | null>(null);
  /** Counts the questions put, so that the view can go to each. */
  turn = $state(0);
  busy = $derived(this.run !== null && this.run.phase !== "settled");

  #socket: ChatSocket | null = null;
  #left = new AbortController();
  #asked: Question | null = null;
  /** What stood there before an edit or a new answer, until the server has begun with it. */
  #replaced: Message[] | null = null;
  #settledRuns = new Set<string>();
  /** The run that asked whether to load something. */
  #offering: string | null = null;
  #opening: Promise<void> = Promise.resolve();
  #waiting: ChatEvent[] = [];

  /** Show a conversation, at a message if one is named; with null the page where the next starts. */
  async open(id: string | null, message: string | null = null): Promise<void> {
    draft.open(id);
    this.aim = message ? { id: message } : null;
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
      const { items } = await (ahead.take(id) ?? api.listMessages(id));
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
      draft.text ||= question.content;
      return;
    }
    this.#settle();
    this.#asked = question;
    this.#replaced = null;
    this.#start(newRun(question.content));
    if (!this.id) await this.#begin();
    this.#socket?.send({ type: "ask", ...question });
  }

  /** Ask what may follow, of the same videos and the same model. */
  follow(content: string): void {
    const model = this.#asked?.model;
    void this.ask({ content, ...draft.scope, ...(model ? { model } : {}) });
  }

  /** Answer the last question again, without its standing there twice. */
  retry(): void {
    const last = this.run ? null : this.messages.findLast(({ role }) => role === "assistant");
    const answerId = this.run ? this.run.answerId : last?.id;
    if (answerId) this.regenerate(answerId);
    else if (this.run) void this.ask({ ...this.#asked, content: this.run.question });
  }

  /**
   * Answer a question anew, by another model or with a wish where one is named; what stood behind
   * it goes. False where the server does not have the question.
   */
  regenerate(message_id: string, { model, wish }: Otherwise = {}): boolean {
    this.#settle();
    const question = questionOf(this.messages, message_id);
    if (!question || !isStored(question)) return false;
    this.#replace(question.id, newRun(question.content, null, question.id));
    this.#socket?.send({
      type: "regenerate",
      message_id,
      ...(model && { model }),
      ...(wish && { wish }),
    });
    return true;
  }

  /** Ask in other words; what stood behind the question goes. */
  edit(message_id: string, content: string): void {
    this.#settle();
    this.#replace(message_id, newRun(content));
    this.#socket?.send({ type: "edit", message_id, content });
  }

  /** What the person thinks of an answer is known of it from now on. */
  rated(id: string, feedback: Feedback | null): void {
    const told = (message: Message) => (message.id === id ? { ...message, feedback } : message);
    this.messages = this.messages.map(told);
    if (this.run?.message) this.run = { ...this.run, message: told(this.run.message) };
  }

  #replace(message_id: string, run: Run): void {
    this.#replaced = this.messages;
    this.messages = before(this.messages, message_id);
    this.#start(run);
  }

  #start(run: Run): void {
    this.run = run;
    this.aim = null;
    this.turn += 1;
  }

  stop(): void {
    if (this.run) this.run = { ...this.run, stopped: true };
    this.#socket?.send({ type: "stop" });
  }

  confirm(accept: boolean): void {
    const status = accept ? "Starting to load" : "";
    if (this.run) this.run = { ...this.run, confirm: null, status };
    this.#socket?.send({ type: "confirm", accept });
  }

  async #begin(): Promise<void> {
    try {
      const { id } = await api.createConversation();
      this.id = id;
      this.phase = "ready";
      draft.become(id);
      this.#connect(id);
      address.go(`/c/${id}`);
      void conversations.load();
    } catch (error) {
      this.#fail(troubleOf(error));
    }
  }

  #fail({ sentence, retryable, from = null }: Trouble): void {
    const error = { error: "request_failed", detail: sentence, retryable, from };
    if (this.run) this.run = { ...this.run, phase: "settled", error };
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
    this.run = {
      ...newRun(question?.content ?? "", running.run_id, question?.id),
      answerId: running.id,
    };
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
        if (back) await this.#afterGap(socket).catch((error) => this.#fail(troubleOf(error)));
      } else this.#hear(event);
    }
  }

  /** A line lost between the question and its `started`: find out whether the server has it. */
  async #afterGap(socket: ChatSocket): Promise<void> {
    if (!this.busy || this.run?.id || !this.id) return;
    const { items } = await api.listMessages(this.id);
    const asked = items.findLast((message) => message.role === "user");
    const answer = items.at(-1);
    if (asked?.content !== this.run?.question || answer?.role !== "assistant") return;
    if (this.#replaced?.some(({ id }) => id === answer.id)) return;
    if (answer.status !== "running") this.#show(items);
    else socket.send({ type: "resume", run_id: answer.run_id, after: 0 });
  }

  /** Tokens can come faster than a screen draws, so what has come is taken in once a frame. */
  #hear(event: ChatEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length === 1) requestAnimationFrame(() => this.#takeIn());
  }

  #takeIn(): void {
    const events = this.#waiting.filter((event) => !this.#isPast(event));
    this.#waiting = [];
    if (!events.length) return;
    let run = this.run ?? newRun("");
    for (const event of events) if (event.type !== "connection") run = advance(run, event);
    if (run.phase === "settled" && !run.id) {
      this.#refused(run);
      return;
    }
    if (run.title && run.title !== this.run?.title && this.id)
      conversations.retitle(this.id, run.title);
    const isNew = run.phase === "settled" && this.run?.phase !== "settled";
    if (run.id) this.#replaced = null;
    if (run.confirm) this.#offering = run.id;
    this.run = run;
    if (isNew) void this.#finish(run);
  }

  /** The last words of a run come when the next may have begun. */
  #isPast(event: ChatEvent): boolean {
    if (event.type === "connection" || !event.run_id) return false;
    return event.run_id !== this.run?.id && this.#settledRuns.has(event.run_id);
  }

  /** Refused before it became a run: what was there before comes back, and so do the words. */
  #refused(run: Run): void {
    if (!run.questionId) draft.text ||= run.question;
    if (this.run && !this.#replaced) {
      this.run = run;
      return;
    }
    this.messages = this.#replaced ?? this.messages;
    this.#replaced = this.run = null;
    const { detail = "", from = null } = run.error ?? {};
    this.trouble = run.error && { sentence: detail, retryable: false, from };
  }

  /** Learn the ids of a turn's messages: with them it can be edited and answered anew. */
  async #finish(run: Run): Promise<void> {
    void conversations.load();
    // No job tells of a video that was known already: it is in the library at once.
    if (run.id === this.#offering) void library.refresh();
    const { id } = this;
    const { signal } = this.#left;
    if (!id || !run.id) return;
    try {
      const part = { offset: this.messages.length, limit: 2 };
      const turn = turnOf((await api.listMessages(id, part)).items, run);
      if (signal.aborted || !turn) return;
      if (this.run?.id !== run.id) this.messages = named(this.messages, turn);
      else this.run = { ...this.run, questionId: turn.question.id, answerId: turn.answer.id };
    } catch (error) {
      troubleOf(error); // without them the turn stands there all the same
    }
  }

  /** Move a finished run's question and answer among the messages. */
  #settle(): void {
    this.trouble = null;
    if (!this.run) return;
    if (this.run.id) this.#settledRuns.add(this.run.id);
    this.messages = [...this.messages, ...settled(this.run)];
    this.run = null;
  }

  #leave(): void {
    this.#left.abort();
    this.#left = new AbortController();
    this.#socket = null;
    this.#asked = this.#replaced = this.#offering = null;
    this.#settledRuns.clear();
    this.#waiting = [];
    this.messages = [];
    this.run = null;
    this.trouble = null;
    this.connected = true;
  }
}

export const conversation = new OpenConversation();
