import type { IconName } from "../islands/Icon.svelte";
import { address } from "./address.svelte";
import { conversation } from "./conversation.svelte";
import { overlay } from "./overlay.svelte";
import { person } from "./person.svelte";
import { screen } from "./screen.svelte";
import { colours, type Theme } from "./theme.svelte";
import type { Found } from "./types";

/** Something that can be done from anywhere. */
export interface Action {
  id: string;
  name: string;
  icon: IconName;
  keys?: string;
  /** Where the words that are looked for stand in it. */
  found?: Found | null;
  run: () => void;
}

export function newConversation(): void {
  address.go("/");
  focusIn("chat", "question");
}

function focusIn(part: "library" | "chat", id: string): void {
  screen.show(part);
  // The part may come into view only with the next frame, and what is hidden takes no focus.
  requestAnimationFrame(() => document.getElementById(id)?.focus());
}

export const focusQuestion = () => focusIn("chat", "question");

/** The server names the file, so the page stays where it is. */
export const exportConversation = (id: string, format: "markdown" | "json") =>
  location.assign(`/api/conversations/${id}/export?format=${format}`);

const THEMES: readonly [Theme, string][] = [
  ["light", "Light colours"],
  ["dark", "Dark colours"],
  ["system", "Colours of the system"],
];

export function actions(): Action[] {
  const { id } = conversation;
  const exports: Action[] = id
    ? [
        {
          id: "markdown",
          name: "Export this conversation as Markdown",
          icon: "file",
          run: () => exportConversation(id, "markdown"),
        },
        {
          id: "json",
          name: "Export this conversation as JSON",
          icon: "file",
          run: () => exportConversation(id, "json"),
        },
      ]
    : [];
  return [
    { id: "new", name: "New conversation", icon: "chat", keys: "n", run: newConversation },
    { id: "ask", name: "Write a question", icon: "edit", keys: "/", run: focusQuestion },
    { id: "add", name: "Add videos", icon: "add", run: () => focusIn("library", "links") },
    ...exports,
    ...THEMES.filter(([theme]) => theme !== colours.theme).map(([theme, name]): Action => ({
      id: theme,
      name,
      icon: "theme",
      run: () => colours.choose(theme),
    })),
    { id: "settings", name: "Settings", icon: "settings", run: () => location.assign("/settings") },
    ...(person.mayAdminister
      ? [
          {
            id: "admin",
            name: "Administration",
            icon: "shield" as const,
            run: () => location.assign("/admin"),
          },
        ]
      : []),
    {
      id: "shortcuts",
      name: "Keyboard shortcuts",
      icon: "keyboard",
      keys: "?",
      run: () => overlay.show("shortcuts"),
    },
  ];
}
