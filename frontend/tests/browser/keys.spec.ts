import { expect, test } from "./app";
import { violations } from "./axe";
import { hold } from "./hold";

const LIGHTHOUSE = "Why did people use mirrors behind the lamp of a lighthouse?";

test("j and k walk through the citations, and never while something is typed", async ({
  app,
  page,
}) => {
  await app.openWithSample();
  const answer = await app.ask(LIGHTHOUSE);
  await expect(app.question).toBeFocused();
  await page.keyboard.type("jk?");
  await expect(app.question).toHaveValue("jk?");
  await expect(app.video).toBeHidden();
  await page.keyboard.press("Shift+Tab");
  await app.conversation.getByRole("button", { name: "Copy with links" }).focus();

  const chips = answer.locator(".cite");
  await page.keyboard.press("j");
  await expect(chips.nth(0)).toBeFocused();
  await expect(app.video.locator("[data-cited]").first()).toBeInViewport();
  const slider = app.video.getByRole("slider");
  const first = await slider.inputValue();
  await page.keyboard.press("j");
  await expect(chips.nth(1)).toBeFocused();
  await expect(slider).not.toHaveValue(first);
  await page.keyboard.press("k");
  await expect(chips.nth(0)).toBeFocused();
  await expect(slider).toHaveValue(first);
});

test("? lists the shortcuts, and the focus goes back to where it was", async ({ app, page }) => {
  await app.openWithSample();
  const add = page.getByRole("button", { name: "Find conversations, videos and actions" });
  await add.focus();
  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(sheet.getByText("Play the next citation")).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(sheet).toBeHidden();
  await expect(add).toBeFocused();
});

test("the palette finds a video, a conversation by its words, and does what it is told", async ({
  app,
  page,
}) => {
  await app.openWithSample();
  await app.ask(LIGHTHOUSE);
  const talk = page.url();
  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog", { name: "Find conversations, videos and actions" });
  await expect(palette.getByRole("option", { name: /Sample/i })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.type("new conv");
  await page.keyboard.press("Enter");
  await expect(palette).toBeHidden();
  await expect(page).toHaveURL(/\/$/);
  await expect(app.question).toBeFocused();

  await page.keyboard.press("Control+k");
  await page.keyboard.type("mirrors behind");
  const found = palette.getByRole("option", { name: /mirrors/ });
  await expect(found).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL((url) => url.href.startsWith(`${talk}#`));

  await page.keyboard.press("Control+k");
  await page.keyboard.type("sample");
  await expect(palette.getByRole("option", { name: /Sample/i })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/v\//);
  await expect(app.video.getByText("Transcript only")).toBeVisible();
});

test("what is typed while the palette is still coming is found in it", async ({ app, page }) => {
  await app.open();
  const letGo = await hold(page, "**/Palette.*.js");
  await app.question.focus();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("darq");
  await page.keyboard.press("Backspace");
  letGo();
  const field = page.getByRole("combobox", { name: "Find" });
  await expect(field).toBeFocused();
  await page.keyboard.type("k");
  await expect(field).toHaveValue("dark");
  await expect(page.getByRole("option", { name: "Dark colours" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(app.question).toBeFocused();
  await expect(app.question).toHaveValue("");
});

test("colours that were chosen are there before the first paint, whatever the system wants", async ({
  app,
  page,
}) => {
  await page.emulateMedia({ colorScheme: "light" });
  await app.open();
  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog", { name: "Find conversations, videos and actions" });
  await expect(palette.getByRole("combobox")).toBeFocused();
  await page.keyboard.type("dark");
  await expect(palette.getByRole("option", { name: "Dark colours" })).toBeVisible();
  await page.keyboard.press("Enter");
  const root = page.locator("html");
  await expect(root).toHaveCSS("color-scheme", "dark");
  // While the page's own scripts are held back only what stands in its head can have set them.
  const letGo = await hold(page, "**/*.js");
  await page.reload({ waitUntil: "commit" });
  await expect(app.question).toBeVisible();
  await expect(root).toHaveCSS("color-scheme", "dark");
  await expect(page.locator("html[data-part]")).not.toBeAttached();
  letGo();
  await expect(page.locator("html[data-part]")).toBeAttached();
  await page.getByRole("button", { name: "More about this page" }).click();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("radio", { name: "System" }).check({ force: true });
  await expect(root).toHaveCSS("color-scheme", "light dark");
  await page.reload();
  await expect(root).toHaveCSS("color-scheme", "light dark");
});
