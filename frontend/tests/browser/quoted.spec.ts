import { test, expect } from "./app";
import { bread } from "./loaded";
import { panel, tab } from "./views";

test("without a model a summary quotes and says so; a study guide says what it takes", async ({
  app,
  request,
}) => {
  await app.open(`${await bread(request)}?view=summary`);
  const summary = panel(app, "Summary");
  await expect(summary.getByText("Quoted, not written")).toBeVisible();
  await expect(summary.locator(".cite").first()).toBeVisible();
  await tab(app, "Study guide").click();
  await expect(panel(app, "Study guide").getByRole("alert")).toContainText("OPENROUTER_API_KEY");
});
