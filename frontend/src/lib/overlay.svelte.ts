/** Which sheet lies over the page. */
class Overlay {
  shown = $state<"palette" | "shortcuts" | null>(null);

  show(which: "palette" | "shortcuts"): void {
    this.shown = which;
  }

  close(): void {
    this.shown = null;
  }
}

export const overlay = new Overlay();
