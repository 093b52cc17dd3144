import { test, expect } from "./app";
import { look, overflows, SIZES } from "./look";

test.use({ colorScheme: "light", reducedMotion: "reduce" });

for (const size of SIZES)
  test(`lists, queue and collections stand in nobody's way at ${size.width} px`, async ({
    app,
    page,
  }) => {
    test.slow(); // nine views, in light and in dark
    // Beside the chat the library is as wide as on a phone, and made of the same parts.
    const see = (name: string) => look(page, name, size.width !== 820);
    const showLibrary = async () => {
      if (size.width < 768)
        await page.getByRole("button", { name: "Library", exact: true }).click();
    };
    await page.setViewportSize(size);
    await app.openEmpty();
    await showLibrary();
    const dialog = await app.askPrice("@thedeep");
    await see("price");
    await dialog.getByLabel("At most").fill("40");
    await expect(dialog).toContainText("A channel with 40 videos");
    await dialog.getByRole("button", { name: /^(Load|Add)/ }).click();
    await page.getByRole("button", { name: "Pause loading" }).click();
    await expect(app.library.getByText(/^Paused at/)).toBeVisible();
    await see("queue");
    await page.getByRole("button", { name: /^Paused at/ }).click();
    await expect(page.getByRole("dialog", { name: "Loading" })).toBeVisible();
    await see("panel");
    await page.getByRole("button", { name: "Cancel all" }).click();
    await see("cancel");
    await page.getByRole("dialog").getByRole("button", { name: "Cancel loading" }).click();
    await page.getByRole("button", { name: /^Failed/ }).click();
    await expect(page.getByText("Loading was cancelled.").first()).toBeVisible();
    await see("failed");
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Collections: All videos" }).click();
    await see("collections");
    await page.getByRole("button", { name: /^The Deep/ }).click();
    await expect(page.getByRole("button", { name: "Ask about this" })).toBeVisible();
    await see("collection");
    await page.getByRole("button", { name: "Filter and sort" }).click();
    await see("filter");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Select videos" }).click();
    await page.getByRole("checkbox").first().check();
    await see("select");
    expect(await overflows(page)).toBe(false);

    await app.open();
    const first = app.library.locator("[aria-posinset='1']");
    await expect(first).toBeAttached();
    await showLibrary();
    await expect(first).toBeInViewport();
  });
