import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { defineConfig } from "@playwright/test";

const PORT = process.env["TEST_PORT"] ?? "18444";

// Workers read this file too, and must find the folder that the first reading made.
const dataDir = (process.env["TEST_DATA_DIR"] ??= mkdtempSync(join(tmpdir(), "talker-browser-")));

export default defineConfig({
  testDir: "tests/browser",
  outputDir: "test-results",
  // One app, one library: the tests take turns.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  forbidOnly: Boolean(process.env["CI"]),
  reporter: [["list"]],
  use: {
    baseURL: `http://127.0.0.1:${PORT}`,
    viewport: { width: 1440, height: 900 },
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  webServer: {
    // The folder goes only when the app has let go of it; a global teardown would come too early.
    command: 'trap : TERM; ../.venv/bin/serve; rm -rf "$DATA_DIR"',
    url: `http://127.0.0.1:${PORT}/api/health/ready`,
    timeout: 120_000,
    gracefulShutdown: { signal: "SIGTERM", timeout: 20_000 },
    env: { DATA_DIR: dataDir, PORT, HOST: "127.0.0.1" },
  },
});
