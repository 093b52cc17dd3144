import { BEHIND_CADDY } from "../../playwright.config";
import { expect, test } from "./app";

// As in production: Caddy serves the pages, under their policy, and passes the API on.
test.use({ baseURL: BEHIND_CADDY });

test("behind Caddy a talk is loaded, asked about and watched, and no policy is broken", async ({
  app,
  page,
}) => {
  const broken: string[] = [];
  await page.exposeFunction("breaks", (what: string) => broken.push(what));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      (window as unknown as { breaks(what: string): void }).breaks(
        `${violatedDirective}: ${blockedURI}`,
      );
    });
  });
  await app.openWithSample();
  await app.question.fill("Why did metal mirrors not work well?");
  await app.question.press("Enter");
  const answer = app.conversation.getByRole("article").last();
  const source = answer.getByRole("button", { name: /^Source 1: Sample/ }).first();
  await expect(source).toBeVisible();
  await source.click();
  await expect(app.video.getByText("Transcript only")).toBeVisible();

  await expect(page).toHaveURL(/\/c\/[0-9a-f-]+/);
  await page.reload();
  await expect(source).toBeVisible();
  await app.open((await app.videoLink(/sample/i).getAttribute("href")) ?? "");
  await expect(app.video).toBeVisible();
  await page.goto("/settings");
  await expect(page.getByRole("link", { name: "Your videos" })).toBeVisible();
  expect(broken).toEqual([]);
});

test("behind Caddy a script that was slipped in does not run", async ({ page }) => {
  await page.goto("/");
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    return "ran" in window;
  });
  expect(ran).toBe(false);
});
