import {
  test as base,
  expect,
  type APIRequestContext,
  type Locator,
  type Page,
} from "@playwright/test";

import { STAND_IN } from "./youtube";

export const BAKING = "https://www.youtube.com/playlist?list=PLbakingbakingbaking";
const AT_ONCE = 10;

interface Listed {
  items: { id: string; status?: string; channel?: string | null }[];
}

/** A page of the real app, with YouTube played by a stand-in and no conversation yet. */
export const test = base.extend<{ app: App }>({
  app: async ({ page, request }, use) => {
    await forget(request, "conversations");
    await forget(request, "collections");
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("Failed to load resource"))
        complaints.push(message.text());
    });
    await page.route("https://www.youtube-nocookie.com/**", (route) =>
      route.fulfill({ contentType: "text/html", body: STAND_IN }),
    );
    await page.route("https://i.ytimg.com/**", (route) => route.abort());
    await use(new App(page, request));
    expect(complaints, "errors in the browser's console").toEqual([]);
  },
});

async function list(request: APIRequestContext, kind: string): Promise<Listed["items"]> {
  const answer = await request.get(`/api/${kind}?limit=500`);
  return ((await answer.json()) as Listed).items;
}

async function forget(request: APIRequestContext, kind: string, keep?: string): Promise<void> {
  const ids = (await list(request, kind)).map(({ id }) => id).filter((id) => id !== keep);
  for (let at = 0; at < ids.length; at += AT_ONCE)
    await Promise.all(
      ids.slice(at, at + AT_ONCE).map((id) => request.delete(`/api/${kind}/${id}`)),
    );
}

export class App {
  readonly library: Locator;
  readonly conversation: Locator;
  readonly video: Locator;
  readonly question: Locator;

  constructor(
    readonly page: Page,
    readonly request: APIRequestContext,
  ) {
    this.library = page.locator("section[aria-label=Library]");
    this.conversation = page.locator("section[aria-label=Conversation]");
    this.video = page.locator("section[aria-label=Video]");
    this.question = page.getByLabel("Your question");
  }

  async open(path = "/"): Promise<void> {
    await this.page.goto(path);
    await expect(this.page.locator("html[data-part]")).toBeAttached();
  }

  async openEmpty(): Promise<void> {
    await forget(this.request, "videos");
    await this.open();
  }

  /** Open on a library that holds the sample and nothing else; loaded once for all tests. */
  async openWithSample(): Promise<void> {
    const ready = (await list(this.request, "videos")).find(
      ({ status, channel }) => status === "ready" && channel?.includes("sample"),
    );
    await forget(this.request, "videos", ready?.id);
    await this.open();
    if (!ready) await this.loadSample();
  }

  async loadSample(): Promise<void> {
    await this.page.getByRole("button", { name: "Load the sample talk" }).click();
    await expect(this.videoLink(/sample/i)).toBeAttached({ timeout: 30_000 });
  }

  /** Paste a list; its price is there when this returns. */
  async askPrice(link: string): Promise<Locator> {
    await this.page.getByLabel("YouTube links, one or more").fill(link);
    await this.page.getByRole("button", { name: "Add", exact: true }).click();
    const dialog = this.page.getByRole("dialog");
    await expect(dialog.getByRole("button", { name: /^(Load|Add)/ })).toBeVisible();
    return dialog;
  }

  /** Load the playlist about baking: five videos that become ready, and some that fail. */
  async addBaking(): Promise<void> {
    await this.openEmpty();
    const dialog = await this.askPrice(BAKING);
    await dialog.getByRole("button", { name: /^(Load|Add)/ }).click();
    await expect(dialog).toBeHidden();
    await expect(this.videoLink(/^Baking, part/).nth(4)).toBeAttached({ timeout: 40_000 });
    await expect(this.library.getByText(/failed$/)).toBeVisible();
  }

  videoLink(name: RegExp): Locator {
    return this.library.locator("a", { hasText: name });
  }

  asked(question: string): Locator {
    return this.conversation.getByRole("paragraph").filter({ hasText: question });
  }

  async ask(question: string): Promise<Locator> {
    await this.question.fill(question);
    await this.question.press("Enter");
    const answer = this.conversation.getByRole("article").last();
    await expect(answer.getByRole("heading", { name: "Sources" })).toBeVisible();
    return answer;
  }

  async upload(name: string, text: string): Promise<void> {
    const buffer = Buffer.from(text);
    await this.page
      .getByLabel("Transcript files")
      .setInputFiles({ name, mimeType: "text/plain", buffer });
  }
}

export { expect } from "@playwright/test";
