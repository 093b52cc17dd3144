/** Small things that this browser alone keeps. One that keeps nothing is no fault of the person's. */
export function readStored(key: string): string | null {
  return permitted(() => localStorage.getItem(key)) ?? null;
}

/** Keep a value; null forgets it. */
export function store(key: string, value: string | null): void {
  permitted(() =>
    value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value),
  );
}

/** How the page looks: the browser's affair, whoever uses it. before-paint.inline.js reads it too. */
export const THEME = "talker.theme";

/** Forget what one person left here. */
export function forgetPerson(): void {
  permitted(() => {
    for (const key of Object.keys(localStorage)) if (key !== THEME) localStorage.removeItem(key);
  });
}

/** Storage that is switched off or full throws, on reading its very name too. */
function permitted<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return undefined;
  }
}
