import * as api from "./api";
import type { NewTemplate, Template } from "./types";

/** The person's own templates, by name. */
class Templates {
  own = $state.raw<Template[]>([]);
  #first: Promise<void> | null = null;

  /** Have them here: asked for once, since what changes later is told by who changes it. */
  async need(): Promise<void> {
    this.#first ??= this.load();
    try {
      await this.#first;
    } catch (error) {
      this.#first = null;
      throw error;
    }
  }

  /** Raises ApiError, as all of these do. */
  async load(): Promise<void> {
    const { items } = await api.listTemplates();
    this.own = items.filter(({ builtin }) => !builtin);
  }

  /** Keep a new one, or one that is there as it is now. */
  async save(template: NewTemplate, id: string | null): Promise<void> {
    await (id ? api.changeTemplate(id, template) : api.createTemplate(template));
    await this.load();
  }

  async remove(id: string): Promise<void> {
    await api.deleteTemplate(id);
    await this.load();
  }
}

export const templates = new Templates();
