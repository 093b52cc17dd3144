/** The pages where one logs in and makes an account, and the way back from them. */

export const LOGIN = "/login";
export const REGISTER = "/register";

/** To the page where one logs in, and afterwards back to this one. */
export function toLogin(): void {
  const { pathname, search } = location;
  if (isDoor(pathname)) return;
  location.assign(`${LOGIN}?${new URLSearchParams({ next: pathname + search })}`);
}

/** Where to after the door: a page of ours, whatever a link says. */
export function afterDoor(search: string, origin: string): string {
  const next = new URLSearchParams(search).get("next") ?? "/";
  const url = URL.canParse(next, origin) ? new URL(next, origin) : null;
  return url?.origin === origin && !isDoor(url.pathname) ? url.pathname + url.search : "/";
}

/** What a one-time link says behind its #, where no server reads it. */
export function tokenOf(hash: string, name: "invite" | "reset"): string | null {
  return new URLSearchParams(hash.replace(/^#/, "")).get(name) || null;
}

const isDoor = (pathname: string) =>
  [LOGIN, REGISTER].some((door) => pathname === door || pathname === `${door}/`);
