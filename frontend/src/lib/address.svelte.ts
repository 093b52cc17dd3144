export type Place =
  | { page: "workspace" }
  | { page: "conversation"; id: string }
  | { page: "video"; id: string; at_s: number | null };

/** What a path and its query name: `/`, `/c/{conversation}` or `/v/{video}?t=seconds`. */
export function placeOf(path: string, query: string): Place {
  const [, kind, id] = /^\/(c|v)\/([^/]+)/.exec(path) ?? [];
  if (kind === "c" && id) return { page: "conversation", id };
  if (kind === "v" && id) {
    const t = new URLSearchParams(query).get("t")?.replace(/s$/, "");
    const at_s = t ? Number(t) : NaN;
    return { page: "video", id, at_s: at_s >= 0 && Number.isFinite(at_s) ? at_s : null };
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
