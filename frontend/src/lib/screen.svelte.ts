import { keep, readKept } from "./kept";
import { asWidths, type Pane, type Widths } from "./panes";

export type Part = "library" | "chat" | "video";
export type Side = "left" | "right";

/** before-paint.inline.js reads it too. */
const NAME = "panes";

/** Which part a screen too narrow for all three shows, and how wide the panes are of one that is not. */
class Screen {
  part = $state<Part>("chat");
  /** The pane at the left or right is put away; its video plays on. */
  folded = $state<Record<Side, boolean>>({ left: false, right: false });
  widths = $state.raw<Widths>({});

  show(part: Part): void {
    this.part = part;
    if (part === "library") this.folded.left = false;
    if (part !== "chat") this.folded.right = false;
  }

  /** The panes as this browser had them. */
  restore(): void {
    this.widths = asWidths(readKept(NAME));
  }

  /** Make a pane so many pixels wide; with null, as wide as it is by itself. */
  widen(pane: Pane, width: number | null): void {
    const { [pane]: _, ...others } = this.widths;
    this.widths = width === null ? others : { ...others, [pane]: width };
    keep(NAME, this.widths);
  }
}

export const screen = new Screen();
