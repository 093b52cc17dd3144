import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { defineConfig } from "@playwright/test";

/** The app without a model, one with a model, one with accounts, and the services they ask. */
const port = Number(process.env["TEST_PORT"] ?? 18444);
const modelAppPort = port + 1;
const modelPort = port + 2;
const transcriptPort = port + 3;
const accountsPort = port + 4;
const caddyPort = port + 5;

/** Where tests take a fault away from a video of the transcript service. */
export const TRANSCRIPTS = address(transcriptPort);

/** The app without a model, behind Caddy. */
export const BEHIND_CADDY = address(caddyPort);

/** What takes a model. */
const WITH_MODEL = /\/(keyboard|model|watch|writing)\.spec\.ts$/;
const ACCOUNTS = /\/accounts\.spec\.ts$/;

// Workers read this file too, and must find the folders that the first reading made.
const dataDir = (process.env["TEST_DATA_DIR"] ??= newFolder());
const modelDataDir = (process.env["TEST_MODEL_DATA_DIR"] ??= newFolder());
const accountsDataDir = (process.env["TEST_ACCOUNTS_DATA_DIR"] ??= newFolder());

export default defineConfig({
  testDir: "tests/browser",
  outputDir: "test-results",
  // One app, one library: its tests take turns, while those of another app run beside them.
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  forbidOnly: Boolean(process.env["CI"]),
  // A machine that falters is told from a fault by a second try; the report names what was flaky.
  retries: 1,
  reporter: [["list"]],
  use: {
    viewport: { width: 1440, height: 900 },
    // Without a film: it takes more of a processor than what is tested.
    trace: { mode: "retain-on-failure", screenshots: false },
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
  projects: [
    { name: "extractive", testIgnore: [WITH_MODEL, ACCOUNTS], port },
    { name: "model", testMatch: WITH_MODEL, port: modelAppPort },
    { name: "accounts", testMatch: ACCOUNTS, port: accountsPort },
  ].map(({ port, ...project }) => ({ ...project, workers: 1, use: { baseURL: address(port) } })),
  webServer: [
    {
      command: `exec .venv/bin/python -m tests.supadata_program --port ${transcriptPort} --delay-ms 50`,
      cwd: "..",
      port: transcriptPort,
    },
    app(port, {
      DATA_DIR: dataDir,
      SUPADATA_API_KEY: "sd_test_key",
      SUPADATA_BASE_URL: TRANSCRIPTS,
      SUPADATA_RATE: "50",
      TRANSCRIPT_PROVIDERS: "supadata",
    }),
    {
      // Slow enough to be seen writing; one model so slow that it can be stopped in its midst.
      command: `exec .venv/bin/python -m tests.model_server --port ${modelPort} --first-token-ms 600 --token-ms 40 --slow-model test/slow`,
      cwd: "..",
      port: modelPort,
    },
    app(modelAppPort, {
      DATA_DIR: modelDataDir,
      OPENROUTER_BASE_URL: `${address(modelPort)}/v1`,
      CHAT_MODELS: "test/first,test/second,test/slow",
      ROUTER_MODEL: "test/first",
    }),
    {
      // Before the app without a model, as on a server.
      command: "exec .venv/bin/caddyserver run --config Caddyfile --adapter caddyfile",
      cwd: "..",
      url: address(caddyPort),
      env: {
        SITE_ADDRESS: address(caddyPort),
        SITE_ROOT: fileURLToPath(new URL("dist", import.meta.url)),
        BACKENDS: `127.0.0.1:${port}`,
        CADDY_BIND: "127.0.0.1",
        CADDY_ADMIN_PORT: String(caddyPort + 1),
        ACCESS_LOG: join(dataDir, "access.log"),
        XDG_DATA_HOME: dataDir,
        XDG_CONFIG_HOME: dataDir,
      },
    },
    app(accountsPort, {
      DATA_DIR: accountsDataDir,
      AUTH: "accounts",
      REGISTRATION: "open",
      SECRET_KEY: "a secret of the browser tests alone",
    }),
  ],
});

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "talker-browser-"));
}

function address(port: number): string {
  return `http://127.0.0.1:${port}`;
}

function app(port: number, env: Record<string, string>) {
  return {
    // The folder goes only when the app has let go of it; a global teardown would come too early.
    command: 'trap : TERM; ../.venv/bin/serve; rm -rf "$DATA_DIR"',
    url: `${address(port)}/api/health/ready`,
    timeout: 120_000,
    gracefulShutdown: { signal: "SIGTERM" as const, timeout: 20_000 },
    env: { PORT: String(port), HOST: "127.0.0.1", LOG_LEVEL: "WARNING", ...env },
  };
}
