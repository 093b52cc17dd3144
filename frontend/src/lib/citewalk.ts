/** What can be walked to: an answer's chips, and the receipts of a post. */
const PLACES = ".cite, [data-receipt]";
/** What has places: answers and posts of the conversation, or the writing view over it. */
const TEXTS = "[aria-label=Conversation] article, [aria-label=Writing]";

/** The place that was walked to last: the way goes on from it while the video has the focus. */
let last: HTMLElement | null = null;

/** Go to the place `by` steps away, of the text that is read or of the last one, and play it. */
export function walkCitations(by: 1 | -1): void {
  const places = placesOf(textInHand() ?? textInView());
  if (!places.length) return;
  const at = last ? places.indexOf(last) : -1;
  const next = at < 0 ? (by > 0 ? 0 : places.length - 1) : at + by;
  const place = places[Math.max(0, Math.min(next, places.length - 1))];
  if (!place) return;
  last = place;
  place.focus({ preventScroll: true });
  place.scrollIntoView({ block: "nearest" });
  place.click();
}

const placesOf = (text: Element | null): HTMLElement[] => [
  ...(text?.querySelectorAll<HTMLElement>(PLACES) ?? []),
];

/** The text of the place that has the focus, or had it last and is still to be seen. */
function textInHand(): Element | null {
  const focused = document.activeElement?.closest<HTMLElement>(PLACES);
  if (focused) last = focused;
  const text = last?.isConnected ? last.closest(TEXTS) : null;
  return text && (focused || shownHeight(text) > 0) ? text : null;
}

/** Of the texts with places the one that fills most of the view, else the last. */
function textInView(): Element | null {
  last = null;
  const texts = [...document.querySelectorAll(TEXTS)].filter((text) => placesOf(text).length);
  const heights = texts.map(shownHeight);
  const most = Math.max(0, ...heights);
  return (most > 0 ? texts[heights.indexOf(most)] : texts.at(-1)) ?? null;
}

function shownHeight(element: Element): number {
  const { top, bottom } = element.getBoundingClientRect();
  const view = element.closest(".overflow-y-auto")?.getBoundingClientRect();
  return view ? Math.min(bottom, view.bottom) - Math.max(top, view.top) : bottom - top;
}
