import { gzipSync } from "node:zlib";

import { expect, test } from "./app";
import { violations } from "./axe";

const LIGHTHOUSE = "Why did people use mirrors behind the lamp of a lighthouse?";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    for (const [width, height] of [
      [1440, 900],
      [820, 1180],
      [390, 844],
    ] as const) {
      test(`nothing stands in anybody's way at ${width} px`, async ({ app, page }) => {
        const shot = (name: string) =>
          page.screenshot({ path: `test-results/screens/${width}-${colorScheme}-${name}.png` });
        await page.setViewportSize({ width, height });
        await app.openEmpty();
        await expect(page.getByText("Talk with your videos")).toBeVisible();
        expect(await violations(page)).toEqual([]);
        await shot("empty");
        await app.loadSample();
        const answer = await app.ask(LIGHTHOUSE);
        expect(await violations(page)).toEqual([]);
        await shot("answer");
        await answer.locator(".cite").first().click();
        await expect(app.video.locator("[data-cited]").first()).toBeInViewport();
        expect(await violations(page)).toEqual([]);
        await shot("video");
        const overflow = "document.documentElement.scrollWidth > innerWidth";
        expect(await page.evaluate(overflow)).toBe(false);
      });
    }
  });
}

test("on a phone one part is shown at a time", async ({ app, page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await app.openWithSample();
  await expect(app.conversation).toBeVisible();
  await expect(app.library).toBeHidden();
  const parts = page.getByRole("navigation", { name: "Parts" });
  await parts.getByRole("button", { name: "Library" }).click();
  await expect(app.library).toBeVisible();
  await expect(app.conversation).toBeHidden();
  await app.videoLink(/sample/i).click();
  await expect(app.video).toBeVisible();
  await expect(parts.getByRole("button", { name: "Video" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
});

test("the keyboard alone loads, asks, cites and walks the transcript", async ({ app, page }) => {
  const press = (key: string) => page.keyboard.press(key);
  const tabTo = async (name: string | RegExp, role: "button" | "link" | "textbox" = "button") => {
    const target = page.getByRole(role, { name }).and(page.locator(":focus"));
    await expect(async () => {
      await press("Tab");
      await expect(target).toBeFocused({ timeout: 50 });
    }).toPass({ timeout: 20_000, intervals: [0] });
  };
  await app.openEmpty();
  await tabTo("Load the sample talk");
  await press("Enter");
  await expect(app.videoLink(/sample/i)).toBeVisible({ timeout: 30_000 });
  await tabTo("Your question", "textbox");
  await page.keyboard.type("Why mirrors");
  await press("Shift+Enter");
  await page.keyboard.type("behind the lamp of a lighthouse?");
  await expect(app.question).toHaveValue("Why mirrors\nbehind the lamp of a lighthouse?");
  await press("Enter");
  await expect(app.conversation.getByRole("heading", { name: "Sources" })).toBeVisible();
  await tabTo(/^Source 1:/);
  await press("Enter");
  const current = app.video.locator("[aria-current=true]");
  await expect(current).toBeInViewport();
  const before = await current.textContent();
  await current.focus();
  await press("ArrowDown");
  await press("Enter");
  await expect(current).not.toHaveText(before ?? "");
});

test("the first view needs less than 90 kB of script", async ({ app, page }) => {
  const bodies: Promise<Buffer>[] = [];
  page.on("response", (response) => {
    if (response.request().resourceType() === "script") bodies.push(response.body());
  });
  await app.openEmpty();
  await page.waitForLoadState("load");
  const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body).length);
  expect(sizes.length).toBeGreaterThan(0);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(90_000);
});
