/** The chip that was walked to last: the way goes on from it while the video has the focus. */
let last: HTMLElement | null = null;

/** Go to the citation `by` steps away, of the answer that is read or of the last one, and play it. */
export function walkCitations(by: 1 | -1): void {
  const answer = answerInHand() ?? answerInView();
  const chips = chipsOf(answer);
  if (!chips.length) return;
  const at = last ? chips.indexOf(last) : -1;
  const next = at < 0 ? (by > 0 ? 0 : chips.length - 1) : at + by;
  const chip = chips[Math.max(0, Math.min(next, chips.length - 1))];
  if (!chip) return;
  last = chip;
  chip.focus({ preventScroll: true });
  chip.scrollIntoView({ block: "nearest" });
  chip.click();
}

const chipsOf = (answer: Element | null): HTMLElement[] => [
  ...(answer?.querySelectorAll<HTMLElement>(".cite") ?? []),
];

/** The answer of the chip that has the focus, or had it last and is still to be seen. */
function answerInHand(): Element | null {
  const focused = document.activeElement?.closest<HTMLElement>(".cite");
  if (focused) last = focused;
  const answer = last?.isConnected ? last.closest("article") : null;
  return answer && (focused || shownHeight(answer) > 0) ? answer : null;
}

/** Of the answers with citations the one that fills most of the view, else the last. */
function answerInView(): Element | null {
  last = null;
  const answers = [...document.querySelectorAll("[aria-label=Conversation] article")].filter(
    (answer) => chipsOf(answer).length,
  );
  const heights = answers.map(shownHeight);
  const most = Math.max(0, ...heights);
  return (most > 0 ? answers[heights.indexOf(most)] : answers.at(-1)) ?? null;
}

function shownHeight(element: Element): number {
  const { top, bottom } = element.getBoundingClientRect();
  const view = element.closest(".overflow-y-auto")?.getBoundingClientRect();
  return view ? Math.min(bottom, view.bottom) - Math.max(top, view.top) : 0;
}
