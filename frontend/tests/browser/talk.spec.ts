import type { Page } from "@playwright/test";

import { expect, test, type App } from "./app";
import { violations } from "./axe";

const LINK = "https://youtu.be/bakingtalk1";
const BREAD = "Why does bread dough rise?";
const LIGHTHOUSE = "Why did people use mirrors behind the lamp of a lighthouse?";
const LENS = "What did Fresnel change about the lens?";

function card({ conversation }: App) {
  return conversation.getByRole("region", { name: "Load this video?" });
}

async function askToLoad(app: App, question: string) {
  await app.openEmpty();
  await app.question.fill(question);
  await app.question.press("Enter");
  await expect(card(app)).toBeVisible();
}

/** The roles of the open conversation's messages, as the server has them. */
async function roles({ page, request }: App): Promise<string[]> {
  const id = new URL(page.url()).pathname.replace("/c/", "");
  const response = await request.get(`/api/conversations/${id}/messages`);
  const { items } = (await response.json()) as { items: { role: string }[] };
  return items.map(({ role }) => role);
}

const copied = (page: Page) => page.evaluate("navigator.clipboard.readText()") as Promise<string>;

test("a link in the chat is loaded after a yes, and then asked what came with it", async ({
  app,
  page,
}) => {
  await askToLoad(app, `${LINK} ${BREAD}`);
  await expect(card(app)).toContainText("Baking, part 1");
  await expect(card(app)).toContainText("The Kitchen · 0:40");
  await expect(card(app)).toContainText(/Supadata credit.*takes under a minute|costs nothing/);
  const load = card(app).getByRole("button", { name: "Load", exact: true });
  await expect(load).toBeFocused();
  expect(await violations(page)).toEqual([]);

  await page.keyboard.press("Escape");
  await expect(load).toBeVisible();
  await page.reload();
  await expect(load).toBeFocused();

  await page.keyboard.press("Enter");
  await expect(card(app)).toBeHidden();
  const answer = app.conversation.getByRole("article");
  await expect(
    answer.getByRole("button", { name: /^Source 1: Baking, part 1/ }).first(),
  ).toBeVisible({ timeout: 30_000 });
  await expect(app.videoLink(/Baking, part 1/)).toBeAttached();
  expect(await roles(app)).toEqual(["user", "assistant"]);
});

test("a link that was declined is not loaded", async ({ app }) => {
  await askToLoad(app, LINK);
  await card(app).getByRole("button", { name: "Not now" }).click();
  await expect(app.conversation.getByText("Nothing was loaded.")).toBeVisible();
  await expect(card(app)).toBeHidden();
  await expect(app.library.getByText("No videos yet")).toBeVisible();
});

test("the card does not take the keys of one who is writing", async ({ app, page }) => {
  await app.openEmpty();
  await app.question.fill(LINK);
  await app.question.press("Enter");
  await page.keyboard.type("And what is a starter?");
  await expect(card(app)).toBeVisible();
  await expect(app.question).toBeFocused();
  await expect(app.question).toHaveValue("And what is a starter?");
});

test("a question in other words takes what followed it from view", async ({ app, page }) => {
  await app.openWithSample();
  await app.ask(LIGHTHOUSE);
  await app.ask(LENS);
  await expect(app.conversation.getByRole("article")).toHaveCount(2);

  const pencil = app.conversation.getByRole("button", { name: "Edit" }).first();
  await pencil.focus();
  await page.keyboard.press("Enter");
  const field = page.getByLabel("Your question in other words");
  await expect(field).toBeFocused();
  await field.fill("never mind");
  await page.keyboard.press("Escape");
  await expect(pencil).toBeFocused();
  await expect(app.asked(LENS)).toBeVisible();

  await page.keyboard.press("Enter");
  await field.fill("Who kept the light burning at night?");
  await page.keyboard.press("Enter");
  await expect(app.asked("Who kept the light burning at night?")).toBeVisible();
  await expect(app.asked(LENS)).toBeHidden();
  await expect(app.asked(LIGHTHOUSE)).toBeHidden();
  await expect(page.getByRole("button", { name: "Stop" })).toBeHidden();
  expect(await roles(app)).toEqual(["user", "assistant"]);
  await page.reload();
  await expect(app.asked("Who kept the light burning at night?")).toBeVisible();
  await expect(app.conversation.getByRole("article")).toHaveCount(1);
});

test("an edit that is refused gives back what was there", async ({ app, page }) => {
  await app.openWithSample();
  await app.ask(LIGHTHOUSE);
  await app.conversation.getByRole("button", { name: "Edit" }).click();
  const field = page.getByLabel("Your question in other words");
  await field.fill("why ".repeat(5_000));
  await field.press("Enter");
  await expect(app.conversation.getByRole("alert")).toContainText("Shorten it");
  await expect(app.asked(LIGHTHOUSE)).toBeVisible();
  await expect(app.conversation.getByRole("article")).toHaveCount(1);
});

test("an answer is copied with its links, and without", async ({ app, context, page }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await app.openWithSample();
  await app.ask(LIGHTHOUSE);
  await app.conversation.getByRole("button", { name: "Copy with links" }).click();
  await expect(app.conversation.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await copied(page)).toMatch(/\[1\][\s\S]*\n\nSources\n\n\[1\] Sample.*, \d+:\d\d/);
  await app.conversation.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("button", { name: "Copy without links" }).click();
  await expect.poll(() => copied(page)).not.toContain("Sources");
  expect(await copied(page)).not.toMatch(/\[\d/);
});

test("a thumb and a word on an answer are kept, changed and taken back", async ({ app, page }) => {
  await app.openWithSample();
  await app.ask(LIGHTHOUSE);
  const down = app.conversation.getByRole("button", { name: "Bad answer" });
  await down.focus();
  await page.keyboard.press("Enter");
  const word = app.conversation.getByLabel("A word on this answer");
  await expect(word).toBeFocused();
  await page.keyboard.type("The second source is another talk.");
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Enter");
  await expect(app.conversation.getByText("Thank you")).toBeVisible();
  await page.reload();
  await expect(down).toHaveAttribute("aria-pressed", "true");
  await app.conversation.getByRole("button", { name: "Good answer" }).click();
  await expect(down).toHaveAttribute("aria-pressed", "false");
  await expect(word).toHaveValue("The second source is another talk.");
  await app.conversation.getByRole("button", { name: "Good answer" }).click();
  await expect(word).toBeHidden();
  await page.reload();
  const up = app.conversation.getByRole("button", { name: "Good answer" });
  await expect(up).toHaveAttribute("aria-pressed", "false");
});

test("how an answer was made is told where it is asked for", async ({ app, page }) => {
  await app.openWithSample();
  await app.ask(LIGHTHOUSE);
  await app.conversation.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("button", { name: "How this was made" }).click();
  const made = app.conversation.getByRole("region", { name: "How this was made" });
  await expect(made).toContainText("A question about the videos");
  await expect(made).toContainText(/Altogether\s*\d/);
  expect(await violations(page)).toEqual([]);
});
