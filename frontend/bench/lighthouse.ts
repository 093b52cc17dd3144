import lighthouse, { desktopConfig } from "lighthouse";

import { median } from "./numbers.ts";

const RUNS = 3;
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"] as const;

/** Lighthouse's scores of a page from 0 to 100, the median of a few runs, in the Chromium on a port. */
export async function scores(
  address: string,
  port: number,
  device: "desktop" | "mobile",
): Promise<Record<string, number>> {
  const found = new Map<string, number[]>();
  for (let run = 0; run < RUNS; run++) {
    const result = await lighthouse(
      address,
      { port, logLevel: "error", output: "json", onlyCategories: [...CATEGORIES] },
      device === "desktop" ? desktopConfig : undefined,
    );
    if (!result) throw new Error(`Lighthouse has nothing to say of ${address}.`);
    const { audits, categories } = result.lhr;
    for (const name of CATEGORIES) {
      const { score, auditRefs } = categories[name] ?? { score: 0, auditRefs: [] };
      found.set(name, [...(found.get(name) ?? []), Math.round((score ?? 0) * 100)]);
      // What cost points, for who reads along.
      for (const { id, weight } of auditRefs) {
        const audit = audits[id];
        if (weight && audit?.score !== null && (audit?.score ?? 1) < 0.9)
          console.error(`${device}, ${name}: ${id} ${audit?.displayValue ?? ""}`);
      }
    }
  }
  return Object.fromEntries([...found].map(([name, values]) => [name, median(values)]));
}
