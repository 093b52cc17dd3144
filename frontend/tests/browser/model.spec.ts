import type { Locator } from "@playwright/test";

import { expect, test, type App } from "./app";
import { bread } from "./loaded";
import { soughtSecond } from "./youtube";

const SALT = "Why do bakers add the salt only after the first mixing?";

/** How the conversation stood after a change of the page. */
interface Seen {
  status: boolean;
  length: number;
}

interface Stored {
  role: string;
  content: string;
  status: string;
  model: string | null;
  citations: { n: number; start_s: number }[];
}

/** The answers of the open conversation, as the server keeps them. */
async function storedAnswers({ page, request }: App): Promise<Stored[]> {
  const id = new URL(page.url()).pathname.replace("/c/", "");
  // An answer takes about as long as the server keeps an idle connection, which may just be closing.
  const response = await request.get(`/api/conversations/${id}/messages`, { maxRetries: 2 });
  const { items } = (await response.json()) as { items: Stored[] };
  return items.filter(({ role }) => role === "assistant");
}

async function start(app: App, question: string): Promise<void> {
  await app.question.fill(question);
  await app.question.press("Enter");
  await expect(app.asked(question).last()).toBeVisible();
}

/** Ask, and wait until the model has said all it wanted to. */
async function askWhole(app: App, question: string): Promise<Locator> {
  await start(app, question);
  await expect(app.page.getByRole("button", { name: "Stop" })).toBeHidden();
  return app.conversation.getByRole("article").last();
}

test.beforeAll(async ({ request }) => {
  await bread(request);
});

test.beforeEach(({ app }) => app.open());

test("a status stands there until the first word, then the answer is seen to grow", async ({
  app,
  page,
}) => {
  await page.evaluate(() => {
    const seen: Seen[] = [];
    Object.assign(window, { seen });
    new MutationObserver(() => {
      const talk = document.querySelector("section[aria-label=Conversation]");
      const busy = talk?.querySelector("[aria-busy=true]")?.textContent ?? "";
      const length = talk?.querySelector("article .answer")?.textContent.length ?? 0;
      seen.push({ status: busy.includes("Writing the answer"), length });
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  await askWhole(app, SALT);
  const seen = await page.evaluate(() => (window as unknown as { seen: Seen[] }).seen);
  expect(seen.some(({ status, length }) => status && length === 0)).toBe(true);
  const lengths = [...new Set(seen.map(({ length }) => length))];
  expect(lengths.length).toBeGreaterThan(5);
  const content = (await storedAnswers(app))[0]?.content ?? "";
  expect(content.length).toBeGreaterThan(lengths[1] ?? Infinity);
});

test("an answer is followed at its end, and left alone by who has scrolled away", async ({
  app,
  page,
}) => {
  await page.setViewportSize({ width: 390, height: 420 });
  await start(app, SALT);
  const latest = app.conversation.getByRole("button", { name: "Latest" });
  const view = app.conversation.locator(".overflow-y-auto").first();
  await expect(app.conversation.getByRole("article")).toContainText("The speaker says");
  await expect(page.getByRole("button", { name: "Stop" })).toBeHidden();
  await expect(app.conversation.locator(".answer > div").last()).toBeInViewport();

  await start(app, SALT);
  await expect(app.conversation.getByRole("article")).toHaveCount(2);
  await view.evaluate((element) => (element.scrollTop = 0));
  await expect(page.getByRole("button", { name: "Stop" })).toBeHidden();
  await expect(latest).toBeVisible();
  expect(await view.evaluate((element) => element.scrollTop)).toBe(0);
});

test("a proved citation of a model plays the very second it was said", async ({ app, page }) => {
  const answer = await askWhole(app, SALT);
  const citation = (await storedAnswers(app))[0]?.citations[0];
  await answer.locator(`.cite[data-n="${citation?.n}"]`).click();
  await expect.poll(() => soughtSecond(page)).toBe(citation?.start_s);
});

test("a stopped answer keeps its words, and the next question can be asked", async ({
  app,
  page,
}) => {
  const model = page.getByLabel("Model");
  await model.selectOption("test/slow");
  await start(app, SALT);
  const stopped = app.conversation.getByRole("article").first();
  await expect(stopped).toContainText("The speaker says");
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(stopped).toContainText("You stopped this answer.");
  await expect(page.getByRole("button", { name: "Stop" })).toBeHidden();
  const [kept] = await storedAnswers(app);
  expect(kept?.status).toBe("stopped");
  expect(kept?.content).toMatch(/^The speaker says/);
  // A proved number is a chip on the screen.
  const words = (kept?.content ?? "").replace(/\[(\d+)\]/g, "$1");
  await expect(stopped).toContainText(words);

  await model.selectOption("test/first");
  await askWhole(app, SALT);
  await page.reload();
  await expect(stopped).toContainText("You stopped this answer.");
  await expect(stopped).toContainText(words);
  const whole = (await storedAnswers(app))[1];
  expect(whole?.status).toBe("complete");
  expect(whole?.content.length).toBeGreaterThan(kept?.content.length ?? Infinity);
});

test("the model that is chosen answers, and answers the follow-up", async ({ app, page }) => {
  const model = page.getByLabel("Model");
  await expect(model.getByRole("option")).toHaveText(["test/first", "test/second", "test/slow"]);
  await askWhole(app, SALT);
  await model.selectOption("test/second");
  for (const followUp of ["And what does it do to the gluten?", "How much of it is usual?"])
    await askWhole(app, followUp);
  const answers = await storedAnswers(app);
  expect(answers.map((answer) => answer.model)).toEqual([
    "test/first",
    "test/second",
    "test/second",
  ]);
  expect(answers.every(({ citations }) => citations.length > 0)).toBe(true);
});

test("the last answer is written anew by another model, in the place of the first", async ({
  app,
  page,
}) => {
  await askWhole(app, SALT);
  const again = app.conversation.getByRole("button", { name: "Answer again" });
  await again.click();
  await page.getByRole("button", { name: "test/second" }).click();
  await expect(page).toHaveTitle(/^Writing an answer…/);
  await expect(page.getByRole("button", { name: "Stop" })).toBeHidden();
  await expect(page).not.toHaveTitle(/^Writing/);
  await expect(app.asked(SALT)).toHaveCount(1);
  await expect(app.conversation.getByRole("article")).toHaveCount(1);
  const answers = await storedAnswers(app);
  expect(answers.map(({ model }) => model)).toEqual(["test/second"]);
});

test("what may be asked next is one click away, also after a reload, until it is asked", async ({
  app,
  page,
}) => {
  await askWhole(app, SALT);
  const next = app.conversation.getByRole("list", { name: "Ask next" });
  await expect(next.getByRole("button")).toHaveText([
    "What else is said?",
    "Who says so in the video?",
  ]);
  await page.reload();
  await next.getByRole("button", { name: "What else is said?" }).click();
  await expect(app.asked("What else is said?")).toBeVisible();
  await expect(next).toBeHidden();
  await expect(page.getByRole("button", { name: "Stop" })).toBeHidden();
  expect(await storedAnswers(app)).toHaveLength(2);
});

test("the agent's playground is a chat that answers", async ({ page }) => {
  // What is sent before the page knows the schemas has no form.
  await page.goto("/api/agent/playground/", { waitUntil: "networkidle" });
  const field = page.getByPlaceholder("Send a message...");
  await field.fill(SALT);
  await field.press("Enter");
  await expect(page.getByRole("textbox").filter({ hasText: "The speaker says:" })).toBeVisible();
});
