import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

/** What stands in the way of people with other eyes, ears or hands, by axe's rules. */
export async function violations(page: Page): Promise<string[]> {
  // What stands in the player's frame is YouTube's.
  const found = await new AxeBuilder({ page }).exclude("iframe").analyze();
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`,
  );
}
