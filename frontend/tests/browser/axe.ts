import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

/** The rules that what a page looks like in other colours can break. */
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

/** What stands in the way of people with other eyes, ears or hands, by axe's rules. */
export function violations(page: Page): Promise<string[]> {
  return told(axe(page));
}

/** The same with dark colours: nothing but the colours differs there. */
export function violationsInTheDark(page: Page): Promise<string[]> {
  return told(axe(page).withRules(COLOUR_RULES));
}

// What stands in the player's frame is YouTube's, so axe need not go from frame to frame.
const axe = (page: Page) => new AxeBuilder({ page }).exclude("iframe").setLegacyMode();

async function told(builder: AxeBuilder): Promise<string[]> {
  const found = await builder.analyze();
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`,
  );
}
