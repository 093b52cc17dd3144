import { execFileSync } from "node:child_process";

import { expect, test, type Browser, type Page } from "@playwright/test";

import { violations } from "./axe";

const PASSWORD = "several words do well";

async function fillDoor(page: Page, email: string, password: string, label = "Password") {
  await page.getByLabel("Email").fill(email);
  await page.getByLabel(label, { exact: true }).fill(password);
}

/** A browser of its own, in which somebody has just made an account. */
async function newPerson(browser: Browser, baseURL: string, name: string): Promise<Page> {
  const page = await (await browser.newContext({ baseURL })).newPage();
  await page.goto("/");
  await expect(page).toHaveURL(/\/login\/?\?next=%2F$/);
  await page.getByRole("link", { name: "Make an account" }).click();
  await fillDoor(page, `${name}@example.org`, PASSWORD, "New password");
  await page.getByRole("button", { name: "Make the account" }).click();
  await expect(page.getByRole("heading", { name: "Talk with your videos" })).toBeVisible();
  return page;
}

test("two people in two browsers see nothing of each other", async ({ browser, baseURL }) => {
  const ada = await newPerson(browser, baseURL ?? "", "ada");
  await ada.getByRole("button", { name: "Load the sample talk" }).click();
  const sample = ada.locator("section[aria-label=Library] a", { hasText: /sample/i });
  await expect(sample).toBeVisible({ timeout: 30_000 });
  const address = (await sample.getAttribute("href")) ?? "";

  const bea = await newPerson(browser, baseURL ?? "", "bea");
  await expect(bea.getByText("No videos yet")).toBeVisible();
  await bea.goto(address);
  await expect(bea.getByText(/There is no video/)).toBeVisible();
});

test("who is logged out gets in again with the password alone, and to where they wanted", async ({
  browser,
  baseURL,
}) => {
  const page = await newPerson(browser, baseURL ?? "", "cleo");
  await page.goto("/settings");
  await expect(page.getByText("cleo@example.org")).toBeVisible();
  await expect(page.getByText("This browser")).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await expect(page).toHaveURL(/\/login/);

  await page.goto("/settings");
  await expect(page).toHaveURL(/\/login\/?\?next=%2Fsettings/);
  await fillDoor(page, "cleo@example.org", "not the password");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toContainText("do not fit together");
  expect(await violations(page)).toEqual([]);
  await fillDoor(page, "cleo@example.org", PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Settings" })).toBeVisible();
});

test("a key is shown once, opens the API for a program, and no more when it is revoked", async ({
  browser,
  baseURL,
  playwright,
}) => {
  const page = await newPerson(browser, baseURL ?? "", "dora");
  await page.goto("/settings");
  const keys = page.getByRole("region", { name: "API keys" });
  await keys.getByRole("button", { name: "New" }).click();
  await page.getByLabel("What it is for").fill("My script");
  await page.getByRole("button", { name: "Make the key" }).click();
  const dialog = page.getByRole("dialog", { name: "Your new key" });
  const key = await dialog.locator(".font-mono").innerText();
  await dialog.getByRole("button", { name: "Done" }).click();

  const program = await playwright.request.newContext({
    baseURL: baseURL ?? "",
    extraHTTPHeaders: { Authorization: `Bearer ${key}` },
  });
  expect((await (await program.get("/api/auth/me")).json()) as unknown).toMatchObject({
    email: "dora@example.org",
  });
  await keys.getByRole("button", { name: "Revoke My script" }).click();
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(keys.getByText("None yet.")).toBeVisible();
  expect((await program.get("/api/auth/me")).status()).toBe(401);
});

/** Make somebody an administrator, as it is done on the server's terminal. */
function promote(email: string) {
  execFileSync("../.venv/bin/admin", ["role", email, "admin"], {
    env: {
      ...process.env,
      AUTH: "accounts",
      SECRET_KEY: "a secret of the browser tests alone",
      DATA_DIR: process.env["TEST_ACCOUNTS_DATA_DIR"],
    },
  });
}

const noScrollSideways = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

test("an administrator sees how it is, and locks somebody out who then gets in no more", async ({
  browser,
  baseURL,
}) => {
  test.slow(); // two people, two schemes, three widths
  const other = await newPerson(browser, baseURL ?? "", "finn");
  await other.goto("/admin");
  await expect(other.getByText("This page is for administrators.")).toBeVisible();
  await other.goto("/settings");
  await expect(other.getByText("This browser")).toBeVisible();
  await expect(other.getByRole("link", { name: "Administration" })).toBeHidden();

  const page = await newPerson(browser, baseURL ?? "", "emma");
  promote("emma@example.org");
  await page.goto("/settings");
  await page.getByRole("link", { name: "Administration" }).click();
  const parts = page.getByRole("list", { name: "Parts of the server" });
  await expect(parts.getByText("Works").first()).toBeVisible();
  await expect(parts.getByText(/set OPENROUTER_API_KEY/)).toBeVisible();
  await expect(page.getByText("Nothing waits, and nothing has failed.")).toBeVisible();

  await page.getByLabel("Find people by email").fill("finn");
  const people = page.getByRole("list", { name: "People with accounts" });
  await expect(people.getByRole("listitem")).toHaveCount(1);
  await page.getByRole("button", { name: "More for finn@example.org" }).press("Enter");
  await page.getByRole("button", { name: "Lock out" }).click();
  await expect(people.getByText("Locked out")).toBeVisible();
  await other.reload();
  await expect(other).toHaveURL(/\/login/);

  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of [390, 820, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await noScrollSideways(page)).toBe(true);
      await page.screenshot({ path: `test-results/admin-${scheme}-${width}.png` });
    }
    expect(await violations(page)).toEqual([]);
  }
});

test("an administrator finds the page by its name, and bounds what somebody may have", async ({
  browser,
  baseURL,
}) => {
  test.slow(); // two people
  const other = await newPerson(browser, baseURL ?? "", "ivan");
  await expect(other.getByText("No videos yet")).toBeVisible();
  await other.keyboard.press("Control+k");
  const palette = other.getByRole("dialog");
  await palette.getByLabel("Find").fill("Settings");
  await expect(palette.getByRole("option", { name: "Settings" })).toBeVisible();
  await palette.getByLabel("Find").fill("Administration");
  await expect(palette.getByText("Nothing has these words.")).toBeVisible();

  const page = await newPerson(browser, baseURL ?? "", "hanna");
  promote("hanna@example.org");
  await page.reload();
  await page.getByRole("button", { name: "Find conversations, videos and actions" }).click();
  await page.getByLabel("Find", { exact: true }).fill("admin");
  await page.getByRole("option", { name: "Administration" }).click();
  await page.getByLabel("Find people by email").fill("ivan");
  await page.getByRole("button", { name: "More for ivan@example.org" }).click();
  await page.getByRole("button", { name: "Quotas" }).click();
  const dialog = page.getByRole("dialog", { name: "Quotas of ivan@example.org" });
  await expect(dialog.getByText("has 0").first()).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await dialog.getByLabel("Videos").fill("2");
  await dialog.getByLabel("Dollars a day").fill("0.5");
  await dialog.getByRole("button", { name: "Set the quotas" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText("The quotas of ivan@example.org are set.")).toBeAttached();

  await other.goto("/settings");
  await expect(other.getByText("0 of 2")).toBeVisible();
  await expect(other.getByText("$0.50")).toBeVisible();

  await page.getByRole("button", { name: "More for ivan@example.org" }).click();
  await page.getByRole("button", { name: "Quotas" }).click();
  await expect(dialog.getByLabel("Videos")).toHaveValue("2");
  await dialog.getByLabel("Videos").fill("");
  await dialog.getByRole("button", { name: "Set the quotas" }).click();
  await expect(dialog).toBeHidden();
  await other.reload();
  await expect(other.getByText("$0.50")).toBeVisible();
  await expect(other.getByText("0 of 2")).toBeHidden();
});

test("an invitation is shown once, makes an account, and is written down", async ({
  browser,
  baseURL,
}) => {
  const page = await newPerson(browser, baseURL ?? "", "greta");
  promote("greta@example.org");
  await page.goto("/admin");
  await page.getByRole("button", { name: "Invite" }).click();
  await page.getByLabel("Email", { exact: false }).last().fill("hugo@example.org");
  await page.getByRole("button", { name: "Make the invitation" }).click();
  const dialog = page.getByRole("dialog", { name: "Your invitation" });
  const url = await dialog.locator(".font-mono").innerText();
  expect(await violations(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("list", { name: "Audit log" })).toContainText(
    "greta@example.org invited hugo@example.org",
  );

  const guest = await (await browser.newContext({ baseURL: baseURL ?? "" })).newPage();
  await guest.goto(url);
  await fillDoor(guest, "hugo@example.org", PASSWORD, "New password");
  await guest.getByRole("button", { name: "Make the account" }).click();
  await expect(guest.getByRole("heading", { name: "Talk with your videos" })).toBeVisible();
});
