/**
 * Resolves once all parts of the page have come alive, or could not. Until then each must find
 * what was served: what changes before a part wakes has it drawn anew from nothing.
 */
export async function allAwake(): Promise<void> {
  const asleep = document.querySelectorAll('astro-island[ssr][client="load"]');
  await Promise.all([...asleep].map(woken));
}

const woken = (island: Element) =>
  new Promise((resolve) => {
    for (const end of ["astro:hydrate", "astro:hydration-error"])
      island.addEventListener(end, resolve, { once: true });
  });
