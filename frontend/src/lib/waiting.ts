/** The moment so many seconds from now. */
export const instantIn = (seconds: number | null | undefined, now = Date.now()): Date | null =>
  seconds ? new Date(now + seconds * 1000) : null;

const COUNTED_S = 90;

/** When something can be tried again: seconds are counted down, longer waits have a time of day. */
export function whenAgain(from: Date, now: number): string {
  const left = Math.ceil((from.getTime() - now) / 1000);
  if (left <= 0) return "";
  if (left <= COUNTED_S) return `in ${left} s`;
  const sameDay = new Date(now).toDateString() === from.toDateString();
  const time = from.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const day = from.toLocaleDateString("en-GB", { weekday: "long" });
  return sameDay ? `at ${time}` : `on ${day} at ${time}`;
}
