/** A pane whose width can be changed: of three beside each other, or `beside` the chat of two. */
export type Pane = "library" | "video" | "beside";

/** In pixels; a pane without one is as wide as it is by itself. */
export type Widths = Partial<Record<Pane, number>>;

/* Workspace.astro holds what is kept to the same limits before this runs. */
const LEAST: Record<Pane, number> = { library: 240, video: 320, beside: 280 };
/** Of the window: what stands beside the chat must leave it its room. */
const MOST: Record<Pane, number> = { library: 0.3, video: 0.5, beside: 0.6 };

export const least = (pane: Pane): number => LEAST[pane];
export const most = (pane: Pane, window: number): number =>
  Math.max(LEAST[pane], Math.round(window * MOST[pane]));

/** The nearest width that a pane can have in a window. */
export const fitting = (pane: Pane, width: number, window: number): number =>
  Math.round(Math.min(most(pane, window), Math.max(LEAST[pane], width)));

/** Widths as they were kept; what is none is left out. */
export function asWidths(kept: unknown): Widths {
  const widths: Widths = {};
  if (typeof kept !== "object" || kept === null) return widths;
  for (const pane of ["library", "video", "beside"] as const) {
    const width = (kept as Record<string, unknown>)[pane];
    if (typeof width === "number" && Number.isFinite(width)) widths[pane] = width;
  }
  return widths;
}
