import { gzipSync } from "node:zlib";

import { expect, test } from "./app";
import { look, overflows, SIZES } from "./look";

const LIGHTHOUSE = "Why did people use mirrors behind the lamp of a lighthouse?";

test.describe("without motion", () => {
  test.use({ colorScheme: "light", reducedMotion: "reduce" });

  for (const size of SIZES)
    test(`nothing stands in anybody's way at ${size.width} px`, async ({ app, page }) => {
      await page.setViewportSize(size);
      await app.openEmpty();
      await expect(page.getByText("Talk with your videos")).toBeVisible();
      await look(page, "empty");
      await app.loadSample();
      const answer = await app.ask(LIGHTHOUSE);
      await look(page, "answer");
      await answer.locator(".cite").first().click();
      await expect(app.video.locator("[data-cited]").first()).toBeInViewport();
      await look(page, "video");
      expect(await overflows(page)).toBe(false);
    });
});

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
