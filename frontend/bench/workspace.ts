import { gzipSync } from "node:zlib";

import type { Browser, Page } from "@playwright/test";

import { median } from "./numbers.ts";
import { mainThreadTasks, traced, type Task, type TraceEvent } from "./trace.ts";

const SIZE = { viewport: { width: 1440, height: 900 } };
const REPEATS = 3;
const PATIENCE_MS = 180_000;
const QUESTION = "And what is said about the lamp, the lens and the sea in all these hours?";

/** A machine that is busy with other things is slow, which is no reason to give up. */
async function newPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage(SIZE);
  page.setDefaultTimeout(PATIENCE_MS);
  return page;
}

/** How many bytes of script a page loads until it is there, each file under gzip. */
export async function scriptBytes(browser: Browser, address: string): Promise<number> {
  const page = await newPage(browser);
  const bodies: Promise<Buffer>[] = [];
  page.on("response", (response) => {
    if (response.request().resourceType() === "script") bodies.push(response.body());
  });
  await page.goto(address, { waitUntil: "networkidle" });
  const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body).length);
  await page.close();
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** From the arrival of a conversation's messages to the frame that shows them, the median. */
export async function opening(browser: Browser, origin: string, path: string): Promise<Taken> {
  const found: Taken[] = [];
  for (let run = 0; run < REPEATS; run++) {
    const page = await newPage(browser);
    await page.goto(origin, { waitUntil: "networkidle" });
    await page.getByRole("button", { name: /^Conversations:/ }).click();
    const link = page.locator(`a[href="${path}"]`);
    await link.waitFor();
    const events = await traced(browser, page, async () => {
      await link.click();
      await page.evaluate(markWhenShown);
    });
    found.push(untilShown(events));
    await page.close();
  }
  return {
    cpu_ms: median(found.map(({ cpu_ms }) => cpu_ms)),
    wall_ms: median(found.map(({ wall_ms }) => wall_ms)),
  };
}

interface Taken {
  cpu_ms: number;
  wall_ms: number;
}

/** Runs in the page: marks the frame after the one in which the last answers stand there. */
async function markWhenShown(): Promise<void> {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  while (!document.querySelector("[aria-label=Conversation] article")) await frame();
  await frame();
  performance.mark("shown");
}

function untilShown(events: readonly TraceEvent[]): Taken {
  const sent = events.find(
    ({ name, args }) =>
      name === "ResourceSendRequest" && String(args.data?.["url"]).includes("/messages"),
  );
  const id = sent?.args.data?.["requestId"];
  const data = events.find(
    ({ name, args }) => name === "ResourceFinish" && args.data?.["requestId"] === id,
  );
  const shown = events.find(({ name }) => name === "shown");
  if (!data || !shown) throw new Error("The trace does not tell when the messages were shown.");
  const tasks = mainThreadTasks(events).filter(({ ts }) => ts >= data.ts && ts <= shown.ts);
  return {
    cpu_ms: tasks.reduce((sum, { cpu_ms }) => sum + cpu_ms, 0),
    wall_ms: (shown.ts - data.ts) / 1000,
  };
}

/** What is done beside a long transcript, and the longest task of each, the median of a few times. */
export async function longestTasks(
  browser: Browser,
  address: string,
): Promise<Record<string, Taken & { judged: boolean }>> {
  const found: Record<string, Taken & { judged: boolean }> = {};
  for (const { name, judged, act } of DOINGS) {
    const longest: Task[] = [];
    for (let run = 0; run < REPEATS; run++) {
      const page = await newPage(browser);
      if (name !== "opening it") await open(page, address);
      const tasks = mainThreadTasks(await traced(browser, page, () => act(page, address)));
      longest.push(tasks.reduce((most, task) => (task.cpu_ms > most.cpu_ms ? task : most)));
      await page.close();
    }
    found[name] = {
      judged,
      cpu_ms: median(longest.map(({ cpu_ms }) => cpu_ms)),
      wall_ms: median(longest.map(({ wall_ms }) => wall_ms)),
    };
  }
  return found;
}

async function open(page: Page, address: string): Promise<void> {
  await page.goto(address, { waitUntil: "networkidle" });
  await lines(page).first().waitFor();
}

const lines = (page: Page) => page.getByRole("list", { name: "Transcript" }).getByRole("listitem");
const question = (page: Page) => page.getByLabel("Your question");

const DOINGS: {
  name: string;
  judged: boolean;
  act: (page: Page, address: string) => Promise<void>;
}[] = [
  { name: "opening it", judged: false, act: open },
  {
    name: "typing a question",
    judged: true,
    act: async (page) => question(page).pressSequentially(QUESTION, { delay: 15 }),
  },
  {
    name: "streaming an answer, typing the next question",
    judged: true,
    act: async (page) => {
      await question(page).fill(QUESTION);
      await question(page).press("Enter");
      await page.getByRole("button", { name: "Stop" }).waitFor();
      await question(page).pressSequentially(QUESTION, { delay: 15 });
      await page.getByRole("button", { name: "Stop" }).waitFor({ state: "hidden" });
    },
  },
  {
    name: "following the video",
    judged: true,
    act: async (page) => {
      const slider = page.getByRole("slider");
      for (const second of [9_000, 9_002, 9_004, 60_000, 99_000]) {
        await slider.fill(String(second));
        await page.waitForTimeout(100);
      }
    },
  },
  {
    name: "searching its words",
    judged: false,
    act: async (page) => {
      await page.getByRole("button", { name: "Search the transcript" }).click();
      await page.keyboard.type("the light of the lamp", { delay: 30 });
      await page.waitForTimeout(200);
    },
  },
];
