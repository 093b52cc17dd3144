import { expect, test, type App } from "./app";
import { violations } from "./axe";

async function begin({ request }: App, title: string): Promise<string> {
  const made = await request.post("/api/conversations", { data: { title } });
  return ((await made.json()) as { id: string }).id;
}

async function titles({ request }: App): Promise<string[]> {
  const answer = await request.get("/api/conversations");
  const { items } = (await answer.json()) as { items: { title: string }[] };
  return items.map(({ title }) => title);
}

test("conversations stand by day, are found by their words, renamed, deleted and brought back", async ({
  app,
  page,
}) => {
  await app.openWithSample();
  await app.ask("Why did people use mirrors behind the lamp of a lighthouse?");
  await begin(app, "About sourdough");
  const bread = await begin(app, "About bread");
  await app.open(`/c/${bread}`);
  await page.getByRole("button", { name: /^Conversations:/ }).click();
  const today = page.getByRole("list", { name: "Today" });
  await expect(today.getByRole("listitem")).toHaveCount(3);
  expect(await violations(page)).toEqual([]);
  await page.screenshot({ path: "test-results/screens/conversations.png" });

  const search = page.getByRole("searchbox", { name: "Search the conversations" });
  await expect(search).toBeFocused();
  await page.keyboard.type("POLISHED metal");
  await expect(today.getByRole("listitem")).toHaveCount(1);
  await expect(today.locator("mark")).toHaveText("polished metal");
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#[0-9a-f-]{36}$/);
  const answer = app.conversation.getByRole("article");
  await expect(answer.getByText("polished metal").first()).toBeInViewport();
  await app.open(`/c/${bread}`);
  await page.getByRole("button", { name: /^Conversations:/ }).click();
  await search.fill("about");
  await expect(today.getByRole("listitem")).toHaveCount(2);

  await page.getByRole("button", { name: "Rename About sourdough" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("About rye");
  await page.keyboard.press("Enter");
  await expect(today.getByRole("link", { name: "About rye" })).toBeFocused();

  await page.getByRole("button", { name: "Delete About bread" }).focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/$/);
  await expect(today.getByRole("button", { name: "Undo" })).toBeFocused();
  expect(await titles(app)).toContain("About bread");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(bread));
  await expect(today.getByRole("link", { name: "About bread" })).toBeFocused();

  await page.getByRole("button", { name: "Delete About rye" }).focus();
  await page.keyboard.press("Enter");
  await page.goto("about:blank");
  await expect.poll(() => titles(app)).not.toContain("About rye");
  expect(await titles(app)).toContain("About bread");
});

test("a conversation is exported as Markdown and as JSON", async ({ app, page }) => {
  await app.open(`/c/${await begin(app, "About bread")}`);
  for (const [format, ending] of [
    ["Markdown", ".md"],
    ["JSON", ".json"],
  ]) {
    await page.getByRole("button", { name: "More about this page" }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: `Export as ${format}` }).click();
    expect((await download).suggestedFilename()).toMatch(new RegExp(`\\${ending}$`));
  }
});
