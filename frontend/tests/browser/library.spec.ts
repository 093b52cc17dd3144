import { TRANSCRIPTS } from "../../playwright.config";
import { BAKING, expect, test } from "./app";
import { hold } from "./hold";

test("a playlist's price is seen before it is loaded, and follows what is wished", async ({
  app,
  page,
}) => {
  await app.openEmpty();
  const dialog = await app.askPrice(BAKING);
  await expect(dialog).toContainText("Baking at home");
  await expect(dialog).toContainText("A playlist with 8 videos");
  await expect(dialog).toContainText(/about \d+ credits/);
  await dialog.getByLabel("At most").fill("2");
  await expect(dialog.getByText("A playlist with 2 videos")).toBeVisible();
  await dialog.getByLabel("Bring in later videos too").check();
  await dialog.getByRole("button", { name: /^(Load|Add)/ }).click();
  await expect(app.videoLink(/^Baking, part/)).toHaveCount(2, { timeout: 40_000 });
  await expect(page.getByLabel("YouTube links, one or more")).toHaveValue("");

  await page.getByRole("button", { name: "Collections: All videos" }).click();
  await page.getByRole("button", { name: /^Baking at home/ }).click();
  await expect(app.library.getByText(/^Followed, /)).toBeVisible();
});

test("a list that is still being looked up can be let go of", async ({ app, page }) => {
  await app.openEmpty();
  await page.getByLabel("YouTube links, one or more").fill("@slow");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("status")).toContainText("Looking up what is in it");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  await expect(app.library.getByText("No videos yet")).toBeVisible();
  await expect(page.getByLabel("YouTube links, one or more")).toHaveValue("@slow");
});

test("what was closed while it is being added is no fault, and its failure is told", async ({
  app,
  page,
}) => {
  await app.openEmpty();
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route("/api/videos", async (route) => {
    await held;
    await route.fulfill({ status: 503, json: { error: "disk_full", detail: "No room is left." } });
  });
  const refused = await app.askPrice(BAKING);
  await refused.getByRole("button", { name: /^(Load|Add)/ }).click();
  await page.keyboard.press("Escape");
  await expect(refused).toBeHidden();
  letGo();
  await expect(app.library.getByText("No room is left.")).toBeVisible();
  await page.unroute("/api/videos");

  const dialog = await app.askPrice(BAKING);
  const goOn = await hold(page, "/api/videos");
  await dialog.getByRole("button", { name: /^(Load|Add)/ }).click();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  goOn();
  await expect(app.videoLink(/^Baking, part/).nth(4)).toBeAttached({ timeout: 40_000 });
});

test("a list that nobody may read says so, and what to do", async ({ app, page }) => {
  await app.openEmpty();
  const links = page.getByLabel("YouTube links, one or more");
  await links.fill("https://www.youtube.com/playlist?list=PLprivateprivatepriv");
  await links.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Nothing to load" });
  await expect(dialog.getByRole("alert")).toContainText("This playlist is private");
  await expect(dialog.getByRole("alert")).toContainText("Make it public or unlisted");
  await expect(dialog.getByRole("button", { name: /^(Load|Add)/ })).toHaveCount(0);
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(app.library.getByText("No videos yet")).toBeVisible();
});

test("what failed says why, and what time heals is tried again on its own", async ({
  app,
  page,
}) => {
  await app.addBaking();
  await page.getByRole("button", { name: "See why" }).click();
  const panel = page.getByRole("dialog", { name: "Loading" });
  const failed = panel.getByRole("list", { name: "Videos that failed" });
  await expect(failed.getByRole("listitem")).toHaveCount(3);
  await expect(failed).toContainText("This is a private video");
  await expect(failed).toContainText("Make the video public or unlisted");
  await page.request.post(`${TRANSCRIPTS}/mend/bakinglive1`);
  await panel.getByRole("button", { name: "Try all that may pass again" }).click();
  await expect(panel.getByText("1 video will be tried again.")).toBeVisible();
  await expect(failed.getByRole("listitem")).toHaveCount(2);
  await panel.getByRole("button", { name: "Close" }).click();
  await expect(app.videoLink(/^Mended/)).toBeVisible({ timeout: 30_000 });
});

test("hundreds of videos move as one: paused, resumed, and cancelled once asked", async ({
  app,
  page,
}) => {
  const listings: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/api/videos?")) listings.push(request.url());
  });
  await app.openEmpty();
  const dialog = await app.askPrice("@thedeep");
  await dialog.getByLabel("At most").fill("300");
  await dialog.getByRole("button", { name: /^Load \d+ videos$/ }).click();
  await expect(app.library.getByText(/of \d+ videos/)).toBeVisible();
  await page.getByRole("button", { name: "Pause loading" }).click();
  await expect(app.library.getByText(/^Paused at \d+ of \d+/)).toBeVisible();

  const rows = app.library.getByRole("list", { name: "Videos" });
  expect(await rows.getByRole("listitem").count()).toBeLessThan(40);
  listings.length = 0;
  await rows.getByRole("listitem").first().getByRole("button").focus();
  await page.keyboard.press("End");
  const last = rows.locator("[aria-posinset='300']");
  await expect(last).toBeInViewport();
  expect(listings.length, "pages, not rows, are asked for").toBeLessThan(10);

  await page.getByRole("button", { name: /^Paused at/ }).click();
  const panel = page.getByRole("dialog", { name: "Loading" });
  await expect(panel).toContainText("Under way");
  await panel.getByRole("button", { name: "Resume all" }).click();
  await expect(panel.getByRole("button", { name: "Pause all" })).toBeVisible();
  await panel.getByRole("button", { name: "Cancel all" }).click();
  const asked = page.getByRole("dialog", { name: "Cancel loading?" });
  await expect(asked).toContainText("stay in your library as failed");
  await asked.getByRole("button", { name: "Cancel loading" }).click();
  await expect(panel.getByText("Nothing is being loaded.")).toBeVisible({ timeout: 30_000 });
  await panel.getByRole("button", { name: "Failed" }).click();
  await expect(panel.getByText("Loading was cancelled.").first()).toBeVisible();
});

test("the library is searched by what is said, sorted and filtered", async ({ app, page }) => {
  await app.addBaking();
  await app.upload("ocean.srt", "1\n00:00:00,000 --> 00:00:09,000\nThe anglerfish has a lamp.\n");
  await page.getByRole("dialog").getByRole("button", { name: "Add" }).click();
  await expect(app.videoLink(/^ocean/)).toBeVisible({ timeout: 30_000 });

  const search = page.getByLabel("Search the library");
  await search.fill("anglerfish");
  await expect(app.videoLink(/./)).toHaveText(["ocean"]);
  await search.fill("nothing of the kind");
  await expect(app.library.getByRole("status")).toContainText("matches “nothing of the kind”");
  await page.getByRole("button", { name: "Clear the search" }).click();
  await page.getByRole("button", { name: "Filter and sort" }).click();
  await page.getByRole("radio", { name: "Failed" }).check();
  await expect(app.videoLink(/./)).toHaveCount(0);
  await page.getByRole("radio", { name: "Ready" }).check();
  await page.getByRole("radio", { name: "Title" }).check();
  await expect(app.videoLink(/./).first()).toHaveText("Baking, part 1");
});

test("a collection is made of marked videos, asked about, renamed and deleted", async ({
  app,
  page,
}) => {
  await app.addBaking();
  await page.getByRole("button", { name: "Select videos" }).click();
  await page.getByRole("checkbox", { name: "Select Baking, part 1" }).check();
  await page.getByRole("checkbox", { name: "Select Baking, part 2" }).check();
  await page.getByRole("button", { name: "Put into a collection" }).click();
  await page.getByRole("button", { name: "New collection", exact: true }).last().click();
  const naming = page.getByRole("dialog", { name: "New collection of 2 videos" });
  await naming.getByLabel("Name").fill("To bake on Sunday");
  await naming.getByRole("button", { name: "Create" }).click();
  await expect(naming).toBeHidden();

  await page.getByRole("button", { name: "Collections: All videos" }).click();
  await page.getByRole("button", { name: /^To bake on Sunday/ }).click();
  await expect(app.videoLink(/^Baking/)).toHaveCount(2);
  await page.getByRole("button", { name: "Ask about this collection" }).click();
  await expect(page).toHaveURL(/\/c\//);
  await expect(app.conversation.getByText("To bake on Sunday")).toBeVisible();
  const answer = await app.ask("How long does the dough rest in the fridge?");
  await expect(
    answer.getByRole("button", { name: /^Source 1: Baking, part [12]/ }),
  ).not.toHaveCount(0);

  await page.getByRole("button", { name: "Select videos" }).click();
  await page.getByRole("checkbox", { name: "Select Baking, part 1" }).check();
  await page.getByRole("button", { name: "Take out" }).click();
  await expect(app.videoLink(/^Baking/)).toHaveCount(1);

  await page.getByRole("button", { name: "More for To bake on Sunday" }).click();
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Sunday");
  await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await page.getByRole("button", { name: "More for Sunday" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByRole("dialog")).toContainText("stay in your library");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(app.videoLink(/^Baking/)).toHaveCount(5);
});

test("another language is loaded from beside the transcript, which has its chapters", async ({
  app,
  page,
}, { retry }) => {
  // The language that a first try loaded is there for good.
  const name = new RegExp(`^Baking, part ${3 + retry}`);
  await app.addBaking();
  await app.videoLink(name).click();
  const lines = app.video.getByRole("list", { name: "Transcript" });
  await expect(lines.getByRole("heading", { name: "The dough" })).toBeVisible();
  await app.video.getByText("1 / 3").click();
  await app.video.getByRole("list", { name: "Chapters" }).getByText("The oven").click();
  await expect(app.video.getByText("3 / 3")).toBeVisible();
  await expect(lines.locator("[aria-current=true]")).toContainText("0:30");

  await page.getByRole("button", { name: "1 more language" }).click();
  await page.getByRole("button", { name: "Load German" }).click();
  await expect(lines).toContainText("Willkommen in der Küche", { timeout: 30_000 });
  await expect(app.videoLink(name)).toBeVisible();
  await page.getByLabel("Language of the transcript").selectOption("en");
  await expect(lines).toContainText("Welcome to the kitchen");
});
