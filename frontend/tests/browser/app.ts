import { test as base, expect, type Locator, type Page } from "@playwright/test";

import { STAND_IN } from "./youtube";

interface Listed {
  items: { id: string }[];
}

/** A page of the real app on an empty library, with YouTube played by a stand-in. */
export const test = base.extend<{ app: App }>({
  app: async ({ page, request }, use) => {
    for (const kind of ["videos", "conversations"]) {
      const { items } = (await (await request.get(`/api/${kind}?limit=500`)).json()) as Listed;
      for (const { id } of items) await request.delete(`/api/${kind}/${id}`);
    }
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
    await use(new App(page));
    expect(complaints, "errors in the browser's console").toEqual([]);
  },
});

export class App {
  readonly library: Locator;
  readonly conversation: Locator;
  readonly video: Locator;
  readonly question: Locator;

  constructor(readonly page: Page) {
    this.library = page.locator("section[aria-label=Library]");
    this.conversation = page.locator("section[aria-label=Conversation]");
    this.video = page.locator("section[aria-label=Video]");
    this.question = page.getByLabel("Your question");
  }

  async open(path = "/"): Promise<void> {
    await this.page.goto(path);
    await expect(this.page.locator("html[data-part]")).toBeAttached();
  }

  async loadSample(): Promise<void> {
    await this.page.getByRole("button", { name: "Load the sample talk" }).click();
    await expect(this.videoLink(/sample/i)).toBeAttached({ timeout: 30_000 });
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
