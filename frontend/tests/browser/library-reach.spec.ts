import { expect, test } from "./app";
import { violations } from "./axe";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, reducedMotion: "reduce" });

    for (const [width, height] of [
      [1440, 900],
      [820, 1180],
      [390, 844],
    ] as const) {
      test(`lists, queue and collections stand in nobody's way at ${width} px`, async ({
        app,
        page,
      }) => {
        test.slow(); // axe looks nine times
        const look = async (name: string) => {
          expect(await violations(page), name).toEqual([]);
          const path = `test-results/screens/${width}-${colorScheme}-${name}.png`;
          await page.screenshot({ path });
        };
        const showLibrary = async () => {
          if (width < 768) await page.getByRole("button", { name: "Library", exact: true }).click();
        };
        await page.setViewportSize({ width, height });
        await app.openEmpty();
        await showLibrary();
        const dialog = await app.askPrice("@thedeep");
        await look("price");
        await dialog.getByLabel("At most").fill("40");
        await expect(dialog).toContainText("A channel with 40 videos");
        await dialog.getByRole("button", { name: /^(Load|Add)/ }).click();
        await page.getByRole("button", { name: "Pause loading" }).click();
        await expect(app.library.getByText(/^Paused at/)).toBeVisible();
        await look("queue");
        await page.getByRole("button", { name: /^Paused at/ }).click();
        await expect(page.getByRole("dialog", { name: "Loading" })).toBeVisible();
        await look("panel");
        await page.getByRole("button", { name: "Cancel all" }).click();
        await look("cancel");
        await page.getByRole("dialog").getByRole("button", { name: "Cancel loading" }).click();
        await page.getByRole("button", { name: /^Failed/ }).click();
        await expect(page.getByText("Loading was cancelled.").first()).toBeVisible();
        await look("failed");
        await page.keyboard.press("Escape");

        await page.getByRole("button", { name: "Collections: All videos" }).click();
        await look("collections");
        await page.getByRole("button", { name: /^The Deep/ }).click();
        await expect(page.getByRole("button", { name: "Ask about this" })).toBeVisible();
        await look("collection");
        await page.getByRole("button", { name: "Filter and sort" }).click();
        await look("filter");
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: "Select videos" }).click();
        await page.getByRole("checkbox").first().check();
        await look("select");
        const overflow = "document.documentElement.scrollWidth > innerWidth";
        expect(await page.evaluate(overflow)).toBe(false);
      });
    }
  });
}
