import { isView, type View } from "./views";

export type Place =
  | { page: "workspace" }
  | { page: "conversation"; id: string; message: string | null }
  | { page: "video"; id: string; at_s: number | null; view: View };

/**
 * What an address names: `/`, `/c/{conversation}#{message}` or
 * `/v/{video}?t=seconds&view=summary`.
 */
export function placeOf({ pathname: path, search: query, hash }: Named): Place {
  const [, kind, id] = /^\/(c|v)\/([^/]+)/.exec(path) ?? [];
  if (kind === "c" && id) return { page: "conversation", id, message: hash.slice(1) || null };
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

type Named = Pick<URL, "pathname" | "search" | "hash">;

/** The address of a conversation, at the message where words were found. */
export const conversationAt = (id: string, message?: string | null): string =>
  `/c/${id}${message ? `#${message}` : ""}`;

class Address {
  place = $state.raw<Place>({ page: "workspace" });

  /** Read the browser's address now and whenever it changes, until the function returned is called. */
  follow(): () => void {
    const read = () => (this.place = placeOf(location));
    read();
    addEventListener("popstate", read);
    return () => removeEventListener("popstate", read);
  }

  go(path: string): void {
    if (path === location.pathname + location.search + location.hash) return;
    history.pushState(null, "", path);
    this.place = placeOf(location);
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
