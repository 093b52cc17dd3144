import type { Page } from "@playwright/test";

import { expect } from "./app";
import { violations, violationsInTheDark } from "./axe";

const SCREENS = "test-results/screens";

/**
 * Look at a page in light colours and in dark: a screenshot of each is kept, and with `judged`
 * nothing of it may stand in anybody's way.
 */
export async function look(page: Page, name: string, judged = true): Promise<void> {
  const width = page.viewportSize()?.width;
  const shot = (colours: string) =>
    page.screenshot({ path: `${SCREENS}/${width}-${colours}-${name}.png` });
  if (judged) expect(await violations(page), name).toEqual([]);
  await shot("light");
  await page.emulateMedia({ colorScheme: "dark" });
  if (judged) expect(await violationsInTheDark(page), `${name}, dark`).toEqual([]);
  await shot("dark");
  await page.emulateMedia({ colorScheme: "light" });
}

export const SIZES = [
  { width: 1440, height: 900 },
  { width: 820, height: 1180 },
  { width: 390, height: 844 },
] as const;

/** Whether the page is larger than the screen, and not only what scrolls in it. */
export const overflows = (page: Page): Promise<boolean> =>
  page.evaluate(`(({ scrollWidth, scrollHeight }) =>
    scrollWidth > innerWidth || scrollHeight > innerHeight)(document.documentElement)`);
