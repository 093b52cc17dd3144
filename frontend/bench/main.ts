/** What `bench/browser.py` asks for, as JSON: the workspace in Chromium, judged by Lighthouse and by its main thread. */
import { createServer, type AddressInfo } from "node:net";

import { chromium } from "@playwright/test";

import { scores } from "./lighthouse.ts";
import { longestTasks, opening, scriptBytes } from "./workspace.ts";

interface Job {
  origin: string;
  conversation: string;
  longConversation: string;
  longVideo: string;
}

const job = JSON.parse(process.argv[2] ?? "") as Job;
const at = (path: string) => job.origin + path;

const port = await freePort();
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", `--remote-debugging-port=${port}`],
});
try {
  const found = {
    script_bytes: await scriptBytes(browser, at("/")),
    opening: await opening(browser, job.origin, job.longConversation),
    tasks: await longestTasks(browser, at(job.longVideo)),
    lighthouse: {
      desktop: await scores(at(job.conversation), port, "desktop"),
      mobile: await scores(at(job.conversation), port, "mobile"),
    },
  };
  console.log(JSON.stringify(found));
} finally {
  await browser.close();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
