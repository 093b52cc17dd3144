import { readStored, store, THEME } from "./stored";

export type Theme = "light" | "dark" | "system";

const BARS = { light: "#f6f8f7", dark: "#171b19" };

/** Which colours a person wants; `system` follows their machine. */
class Colours {
  theme = $state<Theme>("system");

  read(): void {
    const stored = readStored(THEME);
    this.theme = stored === "light" || stored === "dark" ? stored : "system";
    this.#paintBars();
  }

  choose(theme: Theme): void {
    this.theme = theme;
    store(THEME, theme === "system" ? null : theme);
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
    this.#paintBars();
  }

  /** The browser's own bars around the page. */
  #paintBars(): void {
    const [light, dark] =
      this.theme === "system" ? [BARS.light, BARS.dark] : [BARS[this.theme], BARS[this.theme]];
    for (const bar of document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]"))
      bar.content = bar.media.includes("dark") ? dark : light;
  }
}

export const colours = new Colours();
