/** Which sheet lies over the page. */
class Overlay {
  shown = $state<"palette" | "shortcuts" | null>(null);
  /** What was typed for the palette before its field was there; null once it takes its own keys. */
  #early: string | null = null;

  show(which: "palette" | "shortcuts"): void {
    if (this.shown === which) return;
    this.shown = which;
    this.#early = which === "palette" ? "" : null;
  }

  close(): void {
    this.shown = this.#early = null;
  }

  /** Keep a key for the palette that is still coming; false where none is. */
  catch({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
    if (this.#early === null || ctrlKey || metaKey || altKey) return false;
    if (key === "Escape") this.close();
    else if (key === "Backspace") this.#early = this.#early.slice(0, -1);
    else if (key.length === 1) this.#early += key;
    return true;
  }

  /** The field is there, and gets what was kept for it. */
  takeEarly(): string {
    const early = this.#early ?? "";
    this.#early = null;
    return early;
  }
}

export const overlay = new Overlay();
