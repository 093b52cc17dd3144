import type { APIRequestContext, Page } from "@playwright/test";

import { expect, test } from "./app";
import { violations } from "./axe";
import { bread } from "./loaded";
import { soughtSecond } from "./youtube";

const REQUEST = "Write a LinkedIn post about salt in bread dough";

const NAME = "Salty tips";

const copied = (page: Page) => page.evaluate("navigator.clipboard.readText()") as Promise<string>;

async function forgetTemplates(request: APIRequestContext): Promise<void> {
  const { items } = (await (await request.get("/api/templates")).json()) as {
    items: { id: string; builtin: boolean }[];
  };
  for (const { id } of items.filter(({ builtin }) => !builtin))
    await request.delete(`/api/templates/${id}`);
}

test("a post is changed by hand beside its receipts, copied, wished otherwise and kept", async ({
  app,
  context,
  page,
  request,
}) => {
  test.slow(); // the post is written twice
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await forgetTemplates(request);
  await bread(request);
  await app.open();
  await app.question.fill(REQUEST);
  await app.question.press("Enter");
  const edit = app.conversation.getByRole("button", { name: "Edit in the writing view" });
  await edit.click();

  const view = page.getByRole("region", { name: "Writing" });
  await expect(view.getByRole("heading", { name: "LinkedIn post" })).toBeFocused();
  await expect(view.getByText(/^Length: [\d,]+ \/ 3,000$/)).toBeVisible();
  expect(await violations(page)).toEqual([]);

  const text = view.getByLabel("The text");
  await text.fill(`My own hook.\n\n${await text.inputValue()}`);
  await view.getByRole("button", { name: "Copy as plain text" }).click();
  await expect.poll(() => copied(page)).toMatch(/^My own hook\./);
  await view.getByRole("region", { name: "Receipts" }).getByRole("button").first().click();
  await expect.poll(() => soughtSecond(page)).not.toBeNull();
  await expect(text).toBeVisible();

  await text.press("Escape");
  await expect(edit).toBeFocused();
  await page.reload();
  await app.question.fill("/");
  await expect(page.getByRole("option").first()).toBeVisible();
  await app.question.fill("");
  await edit.click();
  await expect(text).toHaveValue(/^My own hook\./);
  await view.getByRole("button", { name: "Back to what was written" }).click();
  await expect(text).not.toHaveValue(/^My own hook\./);

  await view.getByRole("button", { name: "Save as template" }).click();
  const form = page.getByRole("dialog", { name: "New template" });
  await expect(form.getByLabel("Instructions")).toHaveValue(new RegExp(`^${REQUEST}`));
  await form.getByLabel("Name").fill(NAME);
  await form.getByLabel("Instructions").fill("Three tips about {{topic}}.");
  await expect(form).toContainText("Asks for topic");
  expect(await violations(page)).toEqual([]);
  await form.getByRole("button", { name: "Save" }).click();
  await expect(view.getByRole("button", { name: "Saved", exact: true })).toBeVisible();

  await view.getByRole("button", { name: /^Tone/ }).click();
  await page.getByRole("button", { name: "Playful" }).click();
  await expect(view.getByRole("heading", { name: "Writing…" })).toBeVisible();
  await expect(view.getByRole("heading", { name: "LinkedIn post" })).toBeVisible();
  await text.fill("The second version.");
  await view.getByRole("button", { name: /^Versions/ }).click();
  await page
    .getByRole("button", { name: /^Few people know/ })
    .last()
    .click();
  await expect(text).not.toHaveValue("The second version.");
  await view.getByRole("button", { name: "Close the writing view" }).click();
  await expect(app.asked(REQUEST)).toHaveText(REQUEST);
  await expect(app.conversation.getByRole("article")).toHaveCount(1);

  await app.question.fill(`/${NAME}`);
  await page.getByRole("option", { name: NAME }).click();
  await expect(page.getByLabel("topic")).toBeVisible();
});

test("the settings tell the models and the cost, and keep one's own templates", async ({
  app,
  page,
  request,
}) => {
  await forgetTemplates(request);
  await app.open();
  await app.library.getByRole("link", { name: "Settings" }).click();
  await expect(page).toHaveURL(/\/settings$/);
  await expect(page.getByRole("listitem").filter({ hasText: "test/first" })).toContainText(
    "Default",
  );
  await expect(page.getByRole("region", { name: "Use and cost" })).toContainText(/Today\s*\$\d/);

  await page.getByRole("button", { name: "New", exact: true }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill(NAME);
  await form.getByLabel("Instructions").fill("Tips for {{No name}}.");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByRole("alert")).toContainText("is no variable");
  await form.getByLabel("Instructions").fill("Tips for {{audience}}.");
  await form.getByRole("button", { name: "Save" }).click();
  const list = page.getByRole("list", { name: "Your templates" });
  await expect(list).toContainText("{{audience}}");
  expect(await violations(page)).toEqual([]);

  await list.getByRole("button", { name: `Edit ${NAME}` }).click();
  await form.getByRole("combobox", { name: /^For/ }).selectOption("blog");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(list).toContainText("Blog post");
  await list.getByRole("button", { name: `Delete ${NAME}` }).click();
  await form.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("None yet.")).toBeVisible();
});
