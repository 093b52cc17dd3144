import * as api from "./api";
import type { Account } from "./types";

/** Who uses this browser, once somebody has asked. */
class Person {
  account = $state.raw<Account | null>(null);
  /** Who uses the app alone sees to it themselves. */
  mayAdminister = $derived(this.account?.role === "admin" || this.account?.auth === "local");

  /** Where it is not to be had there is nothing to show of them. */
  async load(): Promise<void> {
    this.account ??= await api.readMe().catch(() => null);
  }
}

export const person = new Person();
