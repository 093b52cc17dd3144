import type { SummaryStyle } from "./types";

/** What stands under an open video: its transcript, or what was made of it. */
export type View = "transcript" | "summary" | "moments" | "chapters" | "guide";

export const VIEWS: { view: View; label: string }[] = [
  { view: "transcript", label: "Transcript" },
  { view: "summary", label: "Summary" },
  { view: "moments", label: "Moments" },
  { view: "chapters", label: "Chapters" },
  { view: "guide", label: "Study guide" },
];

export const isView = (name: string | null): name is View =>
  VIEWS.some(({ view }) => view === name);

/** What a style of summary is called, and how one asks for it. */
export const STYLES: Record<SummaryStyle, { name: string; ask: string }> = {
  short: { name: "Short summary", ask: "Write a short summary" },
  detailed: { name: "Detailed summary", ask: "Write a detailed summary" },
  key_moments: { name: "Key moments", ask: "Find the key moments" },
  chapters: { name: "Chapters", ask: "Tell the chapters" },
  study_guide: { name: "Study guide", ask: "Write a study guide" },
};

/** The style of summary that a view shows; the summary itself is short or detailed. */
export function styleOf(view: View, detailed: boolean): SummaryStyle {
  switch (view) {
    case "moments":
      return "key_moments";
    case "chapters":
      return "chapters";
    case "guide":
      return "study_guide";
    default:
      return detailed ? "detailed" : "short";
  }
}
