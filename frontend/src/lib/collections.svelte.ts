import * as api from "./api";
import { troubleOf, type Trouble } from "./failure";
import type { Collection } from "./types";

/** The person's collections, by name. */
class Collections {
  items = $state.raw<Collection[]>([]);
  trouble = $state.raw<Trouble | null>(null);

  async load(): Promise<void> {
    try {
      this.items = (await api.listCollections()).items;
      this.trouble = null;
    } catch (error) {
      this.trouble = troubleOf(error);
    }
  }

  find(id: string | null): Collection | undefined {
    return this.items.find((item) => item.id === id);
  }

  async create(name: string, video_ids: string[] = []): Promise<Collection> {
    const made = await api.createCollection(name, video_ids);
    await this.load();
    return made;
  }

  async change(id: string, change: { name?: string; subscribed?: boolean }): Promise<void> {
    await api.changeCollection(id, change);
    await this.load();
  }

  async remove(id: string): Promise<void> {
    await api.deleteCollection(id);
    await this.load();
  }

  async put(id: string, video_ids: string[]): Promise<void> {
    await api.putInCollection(id, video_ids);
    await this.load();
  }

  async take(id: string, video_ids: string[]): Promise<void> {
    for (const video_id of video_ids) await api.takeFromCollection(id, video_id);
    await this.load();
  }
}

export const collections = new Collections();
