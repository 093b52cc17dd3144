import type { Page } from "@playwright/test";

import { expect, test } from "./app";
import { violations } from "./axe";
import { hold } from "./hold";
import { bread } from "./loaded";
import { panel, tab } from "./views";
import { soughtSecond } from "./youtube";

const copied = (page: Page) => page.evaluate("navigator.clipboard.readText()") as Promise<string>;

test("a summary is made on demand, seen to grow, kept, and each number is a seek", async ({
  app,
  context,
  page,
  request,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await app.open(await bread(request));
  await tab(app, "Summary").click();
  const summary = panel(app, "Summary");
  await summary.getByRole("button", { name: "Write a short summary" }).click();
  await expect(summary.locator("[aria-busy=true]")).toBeVisible();
  await expect(summary.getByText("Written by test/first")).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await summary.getByRole("button", { name: /^Source 1:/ }).click();
  await expect.poll(() => soughtSecond(page)).not.toBeNull();
  await summary.getByRole("button", { name: "Copy with links" }).click();
  await expect.poll(() => copied(page)).toMatch(/Sources\n\n\[1\].*youtube/);

  await expect(page).toHaveURL(/view=summary$/);
  await page.reload();
  await expect(summary.getByText("Written by test/first")).toBeVisible();
});

test("the keys go from tab to tab, and a key moment plays its second", async ({
  app,
  page,
  request,
}) => {
  await app.open(`${await bread(request)}?view=summary`);
  await tab(app, "Summary").focus();
  await page.keyboard.press("ArrowRight");
  await expect(tab(app, "Moments")).toBeFocused();
  await expect(tab(app, "Moments")).toHaveAttribute("aria-selected", "true");
  const moments = panel(app, "Moments");
  await moments.getByRole("button", { name: "Find the key moments" }).click();
  await expect(moments.getByText("Written by test/first")).toBeVisible();
  const last = moments.getByRole("button", { name: /^Play from/ }).last();
  const [, minutes, seconds] = /(\d+):(\d+)/.exec((await last.textContent()) ?? "") ?? [];
  await last.click();
  await expect.poll(() => soughtSecond(page)).toBe(Number(minutes) * 60 + Number(seconds));
  await expect(last).toHaveAttribute("aria-current", "true");
  expect(await violations(page)).toEqual([]);
});

test("a summary that failed says why, and is made when it is asked again", async ({
  app,
  page,
  request,
}) => {
  const events = [
    { type: "token", text: "Bread rises" },
    { type: "error", error: "model_failed", detail: "The model is away.", retryable: true },
    { type: "done" },
  ];
  const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  await page.route(
    "**/summary",
    (route) => route.fulfill({ contentType: "text/event-stream", body }),
    { times: 1 },
  );
  await app.open(`${await bread(request)}?view=guide`);
  const guide = panel(app, "Study guide");
  await guide.getByRole("button", { name: "Write a study guide" }).click();
  await expect(guide.getByRole("alert")).toContainText("The model is away.");
  await expect(guide).toContainText("Bread rises");
  await guide.getByRole("button", { name: "Try again" }).click();
  await expect(guide.getByText("Written by test/first")).toBeVisible();
});

test("words are found in the transcript, and the list follows the video only while it may", async ({
  app,
  page,
  request,
}) => {
  await page.setViewportSize({ width: 1440, height: 560 });
  await app.open(`${await bread(request)}?t=0`);
  const lines = app.video.getByRole("list", { name: "Transcript" });
  const current = lines.locator("[aria-current=true]");
  await expect(current).toBeInViewport();
  await app.video.getByRole("button", { name: "Search the transcript" }).click();
  await page.keyboard.type("SALT");
  await expect(app.video.getByRole("status").getByText(/^1 of \d+$/)).toBeVisible();
  await expect(lines.locator("mark").first()).toBeInViewport();
  const follow = app.video.getByRole("button", { name: "Follow the video" });
  await expect(follow).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(app.video.getByRole("status").getByText(/^2 of \d+$/)).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(lines.locator("mark")).toHaveCount(0);

  await lines.hover();
  await page.mouse.wheel(0, 9_000);
  await expect(current).not.toBeInViewport();
  await follow.click();
  await expect(current).toBeInViewport();
  await expect(follow).toBeHidden();
});

test("panes are as wide as they were made, are put away and come back", async ({
  app,
  page,
  request,
}) => {
  await app.open(await bread(request));
  const video = page.getByRole("separator", { name: "Width of the video" });
  const pane = page.locator(".video");
  const width = async () => Math.round((await pane.boundingBox())?.width ?? 0);
  await expect(video).toHaveAttribute("aria-valuenow", String(await width()));
  const before = await width();
  await video.focus();
  await page.keyboard.press("ArrowLeft");
  await expect.poll(width).toBe(before + 24);
  await page.keyboard.press("Home");
  await expect.poll(width).toBe(320);
  // While the page's own scripts are held back only what stands in its head can have set it.
  await page.getByRole("separator", { name: "Width of the library" }).press("End");
  const library = async () => Math.round((await app.library.boundingBox())?.width ?? 0);
  await expect.poll(library).toBeGreaterThan(400);
  const letGo = await hold(page, "**/*.js");
  await page.reload({ waitUntil: "commit" });
  await expect.poll(library).toBeGreaterThan(400);
  await expect(page.locator("html[data-part]")).not.toBeAttached();
  letGo();
  await expect.poll(width).toBe(320);
  expect(await violations(page)).toEqual([]);

  await page.getByRole("separator", { name: "Width of the library" }).press("Enter");
  await expect(app.library).toBeHidden();
  await page.getByRole("button", { name: "Show the library" }).click();
  await expect(app.library).toBeVisible();
  await page.getByRole("button", { name: "Hide the video" }).focus();
  await page.keyboard.press("Enter");
  await expect(app.video).toBeHidden();
  await page.getByRole("button", { name: "Show the video" }).click();
  await expect(app.video).toBeVisible();

  await page.setViewportSize({ width: 320, height: 640 });
  await expect(app.library).toBeHidden();
  await tab(app, "Study guide").click();
  await expect(tab(app, "Study guide")).toBeInViewport();
  expect(await page.evaluate("document.documentElement.scrollWidth > innerWidth")).toBe(false);
  expect(await violations(page)).toEqual([]);
});
