import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

/** What stands in the way of people with other eyes, ears or hands, by axe's rules. */
export async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).analyze();
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`,
  );
}
