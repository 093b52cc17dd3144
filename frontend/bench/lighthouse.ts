import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import lighthouse, { desktopConfig, type Flags } from "lighthouse";

import { median } from "./numbers.ts";
import type { TraceEvent } from "./trace.ts";

const RUNS = 3;
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"] as const;

type Device = "desktop" | "mobile";

/** A score from 0 to 100; with `cpu` a thread's time counts only while it was busy. */
interface Score {
  cpu: number;
  wall: number;
}

/** Lighthouse's scores of a page, the median of a few runs, in the Chromium on a port. */
export async function scores(
  address: string,
  port: number,
  device: Device,
): Promise<Record<string, Score>> {
  const found: Record<string, Score>[] = [];
  for (let run = 0; run < RUNS; run++) found.push(await once(address, port, device));
  const medianOf = (name: string, by: keyof Score) =>
    median(found.map((one) => one[name]?.[by] ?? NaN));
  return Object.fromEntries(
    CATEGORIES.map((name) => [name, { cpu: medianOf(name, "cpu"), wall: medianOf(name, "wall") }]),
  );
}

async function once(address: string, port: number, device: Device): Promise<Record<string, Score>> {
  const folder = mkdtempSync(join(tmpdir(), "talker-lighthouse-"));
  const config = device === "desktop" ? desktopConfig : undefined;
  const flags: Flags = {
    port,
    logLevel: "error",
    output: "json",
    onlyCategories: [...CATEGORIES],
  };
  try {
    await lighthouse(address, { ...flags, gatherMode: folder }, config);
    const audit = () => lighthouse(address, { ...flags, auditMode: folder }, config);
    const wall = await audit();
    leaveOutWaiting(join(folder, "trace.json"));
    const cpu = await audit();
    if (!wall || !cpu) throw new Error(`Lighthouse has nothing to say of ${address}.`);
    tell(cpu.lhr, device);
    const score = (lhr: typeof cpu.lhr, name: string) =>
      Math.round((lhr.categories[name]?.score ?? 0) * 100);
    return Object.fromEntries(
      CATEGORIES.map((name) => [name, { cpu: score(cpu.lhr, name), wall: score(wall.lhr, name) }]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A machine that is busy with other things lets a thread wait, which is not the page's doing. */
function leaveOutWaiting(file: string): void {
  const trace = JSON.parse(readFileSync(file, "utf8")) as { traceEvents: TraceEvent[] };
  for (const event of trace.traceEvents)
    if (event.ph === "X" && event.tdur !== undefined)
      event.dur = Math.min(event.dur ?? event.tdur, event.tdur);
  writeFileSync(file, JSON.stringify(trace));
}

type Told = NonNullable<Awaited<ReturnType<typeof lighthouse>>>["lhr"];

/** What cost points, for who reads along. */
function tell({ audits, categories }: Told, device: Device): void {
  for (const name of CATEGORIES)
    for (const { id, weight } of categories[name]?.auditRefs ?? []) {
      const audit = audits[id];
      if (weight && audit?.score !== null && (audit?.score ?? 1) < 0.9)
        console.error(`${device}, ${name}: ${id} ${audit?.displayValue ?? ""}`);
    }
}
