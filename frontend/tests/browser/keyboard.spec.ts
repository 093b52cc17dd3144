import type { Page } from "@playwright/test";

import { expect, test } from "./app";

const QUESTION = ["Why did people use mirrors", "behind the lamp of a lighthouse?"] as const;

/** Tab on, or back, until the focus is on the button of this name. */
async function tabTo(page: Page, name: string, key: "Tab" | "Shift+Tab" = "Tab") {
  const target = page.getByRole("button", { name }).last().and(page.locator(":focus"));
  await expect(async () => {
    await page.keyboard.press(key);
    await expect(target).toBeFocused({ timeout: 50 });
  }).toPass({ timeout: 20_000, intervals: [0] });
}

// Tests after this one write from what they load themselves.
test.afterEach(({ app }) => app.openEmpty());

test("keys alone lead from an empty library to a played citation and a copied LinkedIn post", async ({
  app,
  context,
  page,
}) => {
  test.slow(); // the post is written as slowly as a model writes
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const { keyboard } = page;
  await app.openEmpty();
  await tabTo(page, "Load the sample talk");
  await keyboard.press("Enter");
  await expect(app.videoLink(/sample/i)).toBeVisible({ timeout: 30_000 });

  await keyboard.press("/");
  await expect(app.question).toBeFocused();
  await keyboard.type(QUESTION[0]);
  await keyboard.press("Shift+Enter");
  await keyboard.type(QUESTION[1]);
  await expect(app.question).toHaveValue(QUESTION.join("\n"));
  await keyboard.press("Enter");
  await expect(app.conversation.getByRole("heading", { name: "Sources" })).toBeVisible();
  await keyboard.press("Tab");
  await keyboard.press("j");
  const chip = app.conversation.locator(".cite").first();
  await expect(chip).toBeFocused();
  const current = app.video.locator("[aria-current=true]");
  await expect(current).toBeInViewport();
  await expect(app.video.getByRole("slider")).not.toHaveValue("0");
  await expect(app.video.locator("[data-cited]").first()).toBeInViewport();
  const said = (await current.textContent()) ?? "";
  await current.focus();
  await keyboard.press("ArrowDown");
  await keyboard.press("Enter");
  await expect(current).not.toHaveText(said);

  await keyboard.press("/");
  await keyboard.type("/linkedin");
  await expect(page.getByRole("option", { name: /LinkedIn/ }).first()).toBeVisible();
  await keyboard.press("Enter");
  await expect(app.question).toHaveValue("Write a LinkedIn post");
  await keyboard.type(" about mirrors");
  await keyboard.press("Enter");
  const edit = page.getByRole("button", { name: "Edit in the writing view" });
  await expect(edit).toBeVisible({ timeout: 40_000 });
  await tabTo(page, "Edit in the writing view", "Shift+Tab");
  const post = await app.conversation.getByRole("article").last().locator(".answer").innerText();
  await keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "LinkedIn post" })).toBeFocused();
  await keyboard.press("j");
  const receipts = page.getByRole("region", { name: "Receipts" }).getByRole("button");
  await expect(receipts.first()).toBeFocused();
  await expect(receipts.first()).toHaveAttribute("aria-current", "true");
  await keyboard.press("Escape");
  await expect(edit).toBeFocused();
  await tabTo(page, "Copy as plain text");
  await keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Copied as plain text" })).toBeFocused();
  expect(await page.evaluate("navigator.clipboard.readText()")).toBe(post);
});
