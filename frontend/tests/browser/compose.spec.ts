import { expect, test } from "./app";
import { violations } from "./axe";

test("@ chooses what is asked about, and / what is to be done, by keys alone", async ({
  app,
  page,
}) => {
  const asked: unknown[] = [];
  page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => asked.push(JSON.parse(String(payload)))),
  );
  await app.openWithSample();
  await app.question.focus();
  await page.keyboard.type("@samp");
  const choices = page.getByRole("listbox", { name: "Ask about" });
  await expect(choices.getByRole("option", { name: /Sample/i })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.screenshot({ path: "test-results/screens/compose-about.png" });
  await page.keyboard.press("Enter");
  const chips = app.conversation.getByRole("list", { name: "What is asked" });
  await expect(chips.getByText(/Sample/i)).toBeVisible();
  await expect(app.question).toBeFocused();
  await expect(app.question).toHaveValue("");

  await page.keyboard.type("/");
  const commands = page.getByRole("listbox", { name: "Commands" });
  await expect(commands.getByRole("option")).toHaveCount(12);
  await page.screenshot({ path: "test-results/screens/compose-commands.png" });
  await page.keyboard.press("ArrowDown");
  await expect(commands.getByRole("option", { selected: true })).toContainText("Detailed summary");
  await page.keyboard.press("Escape");
  await expect(commands).toBeHidden();
  await page.keyboard.type("linked");
  await page.keyboard.press("Tab");
  await expect(app.question).toHaveValue("Write a LinkedIn post");
  await expect(chips.getByText("LinkedIn post")).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.type(" about mirrors");
  await page.keyboard.press("Enter");
  await expect(app.asked("Write a LinkedIn post about mirrors")).toBeVisible();
  await expect
    .poll(() => asked)
    .toEqual([
      {
        type: "ask",
        content: "Write a LinkedIn post about mirrors",
        template: "linkedin",
        video_ids: [expect.stringMatching(/^[0-9a-f-]{36}$/)],
      },
    ]);
  await expect(chips.getByText("LinkedIn post")).toBeHidden();
  await expect(chips.getByText(/Sample/i)).toBeVisible();
});

test("who types faster than the list comes does not ask the command's name", async ({
  app,
  page,
}) => {
  await app.openWithSample();
  await page.route("**/api/templates?*", async (route) => {
    await expect(app.question).toHaveValue("/chapters");
    await route.continue();
  });
  await app.question.focus();
  await page.keyboard.type("/chapters");
  await page.keyboard.press("Enter");
  await expect(app.question).toHaveValue("Give me the chapters");
  await expect(page).toHaveURL(/\/$/);
});

test("a template of one's own asks for its blanks before it is sent", async ({ app, page }) => {
  const body = "Three tips for {{audience}}.";
  const made = await app.request.post("/api/templates", { data: { name: "Three tips", body } });
  const { id } = (await made.json()) as { id: string };
  await app.openWithSample();
  await app.question.pressSequentially("/three");
  await page.getByRole("option", { name: /Three tips/ }).click();
  await expect(app.question).toHaveValue("Write “Three tips”");
  await expect(page.getByRole("button", { name: "Ask", exact: true })).toBeDisabled();
  await page.getByLabel("audience").fill("keepers of lighthouses");
  await expect(page.getByRole("button", { name: "Ask", exact: true })).toBeEnabled();
  await app.request.delete(`/api/templates/${id}`);
});

test("what is being written is there again after a reload, in its own conversation", async ({
  app,
  page,
}) => {
  await app.openWithSample();
  await app.ask("Why did people use mirrors behind the lamp of a lighthouse?");
  await app.question.fill("And before that, https://youtu.be/bakingtalk1");
  await expect(app.conversation.getByText("Enter adds this video and asks")).toBeVisible();
  await page.getByRole("button", { name: "New", exact: true }).click();
  await expect(app.question).toHaveValue("");
  await app.question.fill("Something else");
  await page.goBack();
  await page.reload();
  await expect(app.question).toHaveValue("And before that, https://youtu.be/bakingtalk1");
  await app.open("/");
  await expect(app.question).toHaveValue("Something else");
});
