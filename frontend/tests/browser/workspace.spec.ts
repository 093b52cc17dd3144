import { clock } from "../../src/lib/time";
import { expect, test, type App } from "./app";
import { BREAD_SRT, SALT_ENDS_S, SALT_STARTS_S } from "./captions";
import { commands, soughtSecond, STAND_IN } from "./youtube";

const LIGHTHOUSE = "Why did people use mirrors behind the lamp of a lighthouse?";

/** Load the talk about bread as that of this YouTube video, and open it. */
async function openBread(app: App, youtubeId: string): Promise<void> {
  await app.openEmpty();
  await app.upload("bread.srt", BREAD_SRT);
  const dialog = app.page.getByRole("dialog", { name: "Add a transcript" });
  await dialog.getByLabel("YouTube link").fill(`https://youtu.be/${youtubeId}`);
  await dialog.getByRole("button", { name: "Add" }).click();
  await app.videoLink(/bread/).click();
}

test("the sample is ready after one click and answers with places in it", async ({ app, page }) => {
  const heard: string[] = [];
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      heard.push((JSON.parse(String(payload)) as { type: string }).type);
    }),
  );
  await app.openEmpty();
  await app.loadSample();
  const answer = await app.ask(LIGHTHOUSE);

  await expect(answer.getByRole("button", { name: /^Source 1: Sample/ }).first()).toBeVisible();
  expect(heard.indexOf("token")).toBeGreaterThan(heard.indexOf("started"));
  expect(heard.indexOf("message")).toBeGreaterThan(heard.lastIndexOf("token"));
  await expect.poll(() => heard.at(-1)).toBe("done");
  await expect(page).toHaveURL(/\/c\/[0-9a-f-]{36}$/);
});

test("a click asks what the latest video is about", async ({ app, page }) => {
  await app.openWithSample();
  await page.getByRole("button", { name: /^What is “.*sample.*” about\?$/i }).click();
  await expect(app.asked("What is this video about?")).toBeVisible();
  await expect(app.conversation.getByRole("article").last().locator(".cite").first()).toBeVisible();
});

test("a conversation is there again after a reload, and its title names the page", async ({
  app,
  page,
}) => {
  await app.openWithSample();
  await app.ask(LIGHTHOUSE);
  await expect(page).not.toHaveTitle(/^(Your videos|New conversation|Conversation) –/);
  const title = await page.title();
  await page.reload();
  await expect(app.asked(LIGHTHOUSE)).toBeVisible();
  await expect(app.conversation.locator(".cite").first()).toBeVisible();
  await expect(page).toHaveTitle(title);
});

test("a citation of a talk without a video marks the very lines in the transcript", async ({
  app,
}) => {
  await app.openWithSample();
  const answer = await app.ask(LIGHTHOUSE);
  await answer.locator(".cite").first().click();
  await expect(app.video.getByText("Transcript only")).toBeVisible();
  const cited = app.video.locator("[data-cited]").first();
  await expect(cited).toBeInViewport();
  await expect(app.video.locator("[aria-current=true]")).toBeInViewport();
});

test("a chip shows what was said, and when, before it is clicked", async ({ app, page }) => {
  await app.openWithSample();
  const answer = await app.ask(LIGHTHOUSE);
  await answer.locator(".cite").first().focus();
  await expect(page.getByRole("tooltip")).toContainText(/\d:\d\d/);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("tooltip")).toBeHidden();
});

test("captions with a YouTube link play the cited second, and the transcript follows", async ({
  app,
  page,
}) => {
  await app.openEmpty();
  await app.upload("bread_talk.srt", BREAD_SRT);
  const dialog = page.getByRole("dialog", { name: "Add a transcript" });
  await expect(dialog.getByLabel("Title")).toHaveValue("bread talk");
  await dialog.getByLabel("Title").fill("How bread rises");
  await dialog.getByLabel("YouTube link").fill("https://youtu.be/abcdefghij0");
  await dialog.getByRole("button", { name: "Add" }).click();
  await expect(app.videoLink(/How bread rises/)).toBeVisible({ timeout: 30_000 });

  const answer = await app.ask("Why do bakers add the salt only after the first mixing?");
  const source = answer.getByRole("button", { name: /How bread rises.*salt/i }).first();
  await source.click();
  await expect.poll(() => soughtSecond(page)).toBeGreaterThanOrEqual(SALT_STARTS_S - 12);
  const cited = (await soughtSecond(page)) ?? 0;
  expect(cited).toBeLessThan(SALT_ENDS_S);
  expect((await commands(page)).at(-1)?.func).toBe("playVideo");
  const current = app.video.locator("[aria-current=true]");
  await expect(current).toContainText(clock(cited));
  await expect(current).toContainText(clock(cited + 6), { timeout: 15_000 });

  await app.video.getByRole("list", { name: "Transcript" }).hover();
  await page.mouse.wheel(0, -5_000);
  await app.video.getByRole("button", { name: /Bread rises because/ }).click();
  await expect.poll(() => soughtSecond(page)).toBe(0);
});

test("a player that comes late is not spoken to before it is there", async ({ app, page }) => {
  const misled: string[] = [];
  page.on("console", (message) => {
    if (message.text().includes("postMessage")) misled.push(message.text());
  });
  await page.route("https://www.youtube-nocookie.com/**", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await route.fulfill({ contentType: "text/html", body: STAND_IN });
  });
  await openBread(app, "abcdefghij2");
  await app.video.getByRole("button", { name: /Now to the salt/ }).click();
  await expect.poll(() => soughtSecond(page)).toBe(SALT_STARTS_S);
  expect(misled).toEqual([]);
});

test("without YouTube the transcript stands in, and links to the second", async ({ app, page }) => {
  await page.route("https://www.youtube-nocookie.com/**", (route) => route.abort());
  await openBread(app, "abcdefghij1");
  await expect(app.video.getByText("YouTube's player does not answer")).toBeVisible();
  await app.video.getByRole("button", { name: /Now to the salt/ }).click();
  await expect(app.video.getByRole("link", { name: /Open on YouTube/ })).toHaveAttribute(
    "href",
    new RegExp(`abcdefghij1.*t=${SALT_STARTS_S}s`),
  );
});

test("an address with a second opens the video there", async ({ app, page }) => {
  await app.openWithSample();
  await app.videoLink(/sample/i).click();
  await expect(page).toHaveURL(/\/v\//);
  await page.goto(`${page.url()}?t=60`);
  await expect(app.video.locator("[aria-current=true]")).toBeInViewport();
  await expect(app.video.getByRole("slider")).toHaveValue("60");
});

test("a link that is no video says so and keeps what was typed", async ({ app, page }) => {
  await app.openEmpty();
  const links = page.getByLabel("YouTube links, one or more");
  await links.fill("https://example.com/nothing");
  await links.press("Enter");
  await expect(app.library.getByRole("alert")).toContainText("is not a link to a YouTube video");
  await expect(links).toHaveValue("https://example.com/nothing");
});

test("a broken caption file says what is wrong with it", async ({ app, page }) => {
  await app.openEmpty();
  await app.upload("empty.srt", "not captions");
  await page.getByRole("dialog").getByRole("button", { name: "Add" }).click();
  await expect(app.library.getByRole("alert")).toContainText("empty.srt");
  await expect(app.library.getByText("No videos yet")).toBeVisible();
});

test("a video leaves the library only after it was asked", async ({ app, page }) => {
  await app.openWithSample();
  const remove = app.library.getByRole("button", { name: /^Delete Sample/ });
  await remove.click();
  await page.getByRole("button", { name: "Keep it" }).click();
  await expect(app.videoLink(/sample/i)).toBeVisible();
  await remove.click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(app.library.getByText("No videos yet")).toBeVisible();
});

test("an answer that breaks off is told of, and can be asked for again", async ({ app, page }) => {
  await app.openWithSample();
  const broken = { contentType: "application/json", body: '{"items": [{"id": "0' };
  await page.route("/api/videos?*", (route) => route.fulfill(broken));
  await app.open();
  await expect(app.library.getByText("The server does not answer")).toBeVisible();
  await page.unroute("/api/videos?*");
  await app.library.getByRole("button", { name: "Try again" }).click();
  await expect(app.videoLink(/sample/i)).toBeVisible();
});

test("conversations can be switched, and the name of one names the page", async ({ app, page }) => {
  await app.openWithSample();
  await app.ask(LIGHTHOUSE);
  await page.getByRole("button", { name: "New", exact: true }).click();
  await expect(page).toHaveURL(/\/$/);
  await app.ask("What did Fresnel change about the lens?");

  await page.getByRole("button", { name: /^Conversations:/ }).click();
  const list = page.getByRole("list", { name: "Today" });
  await expect(list.getByRole("listitem")).toHaveCount(2);
  await list
    .getByRole("button", { name: /^Rename/ })
    .last()
    .click();
  await list.getByLabel("Title").fill("On mirrors");
  await list.getByLabel("Title").press("Enter");
  await list.getByRole("link", { name: /On mirrors/ }).click();
  await expect(app.asked(LIGHTHOUSE)).toBeVisible();
  await expect(page).toHaveTitle(/^On mirrors –/);
});

test("an address of no conversation says so and offers a new one", async ({ app, page }) => {
  await app.open("/c/00000000-0000-4000-8000-000000000000");
  await expect(app.conversation.getByRole("alert")).toContainText("There is no conversation");
  await page.getByRole("button", { name: "Start a new conversation" }).click();
  await expect(page).toHaveURL(/\/$/);
});

test("a question that is too long is refused in words and can be shortened", async ({ app }) => {
  await app.openWithSample();
  await app.question.fill("why ".repeat(5_000));
  await app.question.press("Enter");
  await expect(app.conversation.getByRole("alert")).toContainText("Shorten it");
  await expect(app.question).toHaveValue(/^why why/);
  await app.ask(LIGHTHOUSE);
});

test("an answer whose line breaks in the middle is resumed and comes whole, once", async ({
  app,
  page,
}) => {
  const asked: { type: string; after?: number }[] = [];
  let broken = false;
  await page.routeWebSocket(/\/api\/chat\//, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      asked.push(JSON.parse(String(text)) as { type: string });
      server.send(text);
    });
    server.onMessage((text) => {
      if (!broken && (JSON.parse(String(text)) as { type: string }).type === "token") {
        broken = true;
        void socket.close({ code: 1001 });
        void server.close();
      } else socket.send(text);
    });
  });
  await app.openWithSample();
  const answer = await app.ask(LIGHTHOUSE);
  await expect(answer.locator(".cite").first()).toBeVisible();
  expect(asked.map(({ type }) => type)).toEqual(["ask", "resume"]);
  expect(asked[1]?.after).toBeGreaterThan(0);
  await expect(app.conversation.getByRole("article")).toHaveCount(1);
});
