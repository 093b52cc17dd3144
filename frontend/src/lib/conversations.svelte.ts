import * as api from "./api";
import { troubleOf, type Trouble } from "./failure";
import type { Conversation, Models } from "./types";

/** The person's conversations, the latest first, and the models that can answer. */
class Conversations {
  items = $state.raw<Conversation[]>([]);
  models = $state.raw<Models | null>(null);
  phase = $state<"loading" | "ready">("loading");
  trouble = $state<Trouble | null>(null);

  async load(): Promise<void> {
    try {
      this.items = (await api.listConversations()).items;
      this.models ??= await api.listModels();
      this.trouble = null;
    } catch (error) {
      this.trouble = troubleOf(error);
    }
    this.phase = "ready";
  }

  /** Begin a conversation that draws on one collection alone; its id. */
  async beginAbout(collection_id: string): Promise<string> {
    const { id } = await api.createConversation({ collection_id });
    await this.load();
    return id;
  }

  find(id: string | null): Conversation | undefined {
    return this.items.find((item) => item.id === id);
  }

  /** Show a title that the server has already given. */
  retitle(id: string, title: string): void {
    this.items = this.items.map((item) => (item.id === id ? { ...item, title } : item));
  }

  async rename(id: string, title: string): Promise<void> {
    try {
      await api.renameConversation(id, title);
      await this.load();
    } catch (error) {
      this.trouble = troubleOf(error);
    }
  }

  async remove(id: string): Promise<void> {
    await api.deleteConversation(id);
    await this.load();
  }
}

export const conversations = new Conversations();
