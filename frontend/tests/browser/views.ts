import type { App } from "./app";

/** The tab and the panel of one of a video's views, by its name. */
export const tab = ({ video }: App, name: string) => video.getByRole("tab", { name });
export const panel = ({ video }: App, name: string) => video.getByRole("tabpanel", { name });
