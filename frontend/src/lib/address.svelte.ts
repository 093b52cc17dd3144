export type Place =
  | { page: "workspace" }
  | { page: "conversation"; id: string }
  | { page: "video"; id: string; at_s: number };

/** What a path and its query name: `/`, `/c/{conversation}` or `/v/{video}?t=seconds`. */
export function placeOf(path: string, query: string): Place {
  const [, kind, id] = /^\/(c|v)\/([^/]+)/.exec(path) ?? [];
  if (kind === "c" && id) return { page: "conversation", id };
  if (kind === "v" && id) {
    const at_s = Number(new URLSearchParams(query).get("t")?.replace(/s$/, "") ?? 0);
    return { page: "video", id, at_s: Number.isFinite(at_s) && at_s > 0 ? at_s : 0 };
  }
  return { page: "workspace" };
}

class Address {
  place = $state.raw<Place>({ page: "workspace" });

  /** Read the browser's address now and whenever it changes, until the function returned is called. */
  follow(): () => void {
    const read = () => (this.place = placeOf(location.pathname, location.search));
    read();
    addEventListener("popstate", read);
    return () => removeEventListener("popstate", read);
  }

  go(path: string): void {
    if (path === location.pathname + location.search) return;
    history.pushState(null, "", path);
    this.place = placeOf(location.pathname, location.search);
  }
}

export const address = new Address();
