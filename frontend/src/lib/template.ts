import type { PostPlace } from "./post";
import type { NewTemplate } from "./types";

/** Of the server's: what it takes of a name and of a body. */
export const MAX_NAME = 100;
export const MAX_DESCRIPTION = 500;
export const MAX_BODY = 8_000;

/** What a template's body asks for when it is used, each once, in order. */
export function variablesOf(body: string): string[] {
  return [
    ...new Set(
      [...body.matchAll(/\{\{\s*([a-z][a-z0-9_]{0,39})\s*\}\}/g)].map(([, name]) => name!),
    ),
  ];
}

const EXAMPLE =
  "Take the form and the voice of this example, but no fact from it; the facts are those of the videos:";

/** A post as a template: how it was asked for, and the text for an example of form and voice. */
export function templateFrom(
  request: string,
  text: string,
  name: string,
  place: PostPlace,
): NewTemplate {
  const bare = text.replace(/\{\{|\}\}/g, "").trim();
  const body = `${request.trim()}\n\n${EXAMPLE}\n\n${bare}`.trim();
  return { name, description: "", body: body.slice(0, MAX_BODY), place };
}
