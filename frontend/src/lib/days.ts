export interface Day<T> {
  name: string;
  items: T[];
}

const DAY_MS = 86_400_000;

/** Things under the day they were last touched: the latest days by name, then whole months. */
export function byDay<T extends { updated_at: string }>(
  items: readonly T[],
  now: Date = new Date(),
): Day<T>[] {
  const days: Day<T>[] = [];
  for (const item of items) {
    const name = dayName(new Date(item.updated_at), now);
    const last = days.at(-1);
    if (last?.name === name) last.items.push(item);
    else days.push({ name, items: [item] });
  }
  return days;
}

function dayName(then: Date, now: Date): string {
  const midnight = (date: Date) => new Date(date).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(now) - midnight(then)) / DAY_MS);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days <= 7) return "The last 7 days";
  const year = then.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return then.toLocaleDateString("en-GB", { month: "long", ...year });
}
