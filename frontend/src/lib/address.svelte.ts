import { isView, type View } from "./views";

export type Place =
  | { page: "workspace" }
  | { page: "conversation"; id: string }
  | { page: "video"; id: string; at_s: number | null; view: View };

/** What a path and its query name: `/`, `/c/{conversation}` or `/v/{video}?t=seconds&view=summary`. */
export function placeOf(path: string, query: string): Place {
  const [, kind, id] = /^\/(c|v)\/([^/]+)/.exec(path) ?? [];
  if (kind === "c" && id) return { page: "conversation", id };
  if (kind === "v" && id) {
    const asked = new URLSearchParams(query);
    const t = asked.get("t")?.replace(/s$/, "");
    const at_s = t ? Number(t) : NaN;
    const view = asked.get("view");
    return {
      page: "video",
      id,
      at_s: at_s >= 0 && Number.isFinite(at_s) ? at_s : null,
      view: isView(view) ? view : "transcript",
    };
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

  /** The address of a video says which view of it is open; nobody goes anywhere. */
  name(view: View): void {
    if (this.place.page !== "video") return;
    const address = new URL(location.href);
    if (view === "transcript") address.searchParams.delete("view");
    else address.searchParams.set("view", view);
    history.replaceState(null, "", address);
  }
}

export const address = new Address();
