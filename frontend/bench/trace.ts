import type { Browser, Page } from "@playwright/test";

/** An event of Chromium's trace; times in microseconds, `tdur` what its thread was busy of `dur`. */
export interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  tdur?: number;
  args: { name?: string; data?: Record<string, unknown> };
}

export interface Task {
  ts: number;
  cpu_ms: number;
  wall_ms: number;
}

const CATEGORIES = [
  "toplevel",
  "devtools.timeline",
  "blink.user_timing",
  "disabled-by-default-devtools.timeline",
];

/** What happens in the page while something is done. */
export async function traced(
  browser: Browser,
  page: Page,
  act: () => Promise<void>,
): Promise<TraceEvent[]> {
  await browser.startTracing(page, { categories: CATEGORIES });
  await act();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  return trace.traceEvents;
}

/** The page's tasks on its main thread. How long they were busy does not depend on who else is. */
export function mainThreadTasks(events: readonly TraceEvent[]): Task[] {
  const main = busiest(
    events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain"),
    events,
  );
  return events
    .filter(
      ({ name, ph, pid, tid }) =>
        ph === "X" && pid === main?.pid && tid === main.tid && /RunTask/.test(name),
    )
    .map(({ ts, dur = 0, tdur = dur }) => ({ ts, cpu_ms: tdur / 1000, wall_ms: dur / 1000 }));
}

/** Of the renderers that are there the one that did most is the page's. */
function busiest(threads: readonly TraceEvent[], events: readonly TraceEvent[]) {
  const count = (thread: TraceEvent) =>
    events.filter(({ pid, tid }) => pid === thread.pid && tid === thread.tid).length;
  return threads.toSorted((one, other) => count(other) - count(one))[0];
}
