export type Shortcut = "next" | "previous" | "question" | "new" | "shortcuts" | "palette";

/** As the sheet lists them; those with a `key` alone rest while somebody types. */
export const SHORTCUTS: readonly { keys: string[]; says: string }[] = [
  { keys: ["j"], says: "Play the next citation of the answer, or receipt of the post" },
  { keys: ["k"], says: "Play the one before" },
  { keys: ["/"], says: "Write a question" },
  { keys: ["n"], says: "Start a new conversation" },
  { keys: ["Ctrl", "K"], says: "Find conversations, videos and actions" },
  { keys: ["?"], says: "Show this sheet" },
];

export const WRITING: readonly { keys: string[]; says: string }[] = [
  { keys: ["Enter"], says: "Ask" },
  { keys: ["Shift", "Enter"], says: "Begin a new line" },
  { keys: ["@"], says: "Choose videos or a collection to ask about" },
  { keys: ["/"], says: "Choose a command: summary, chapters, a post" },
];

const SINGLE: Record<string, Shortcut> = {
  j: "next",
  k: "previous",
  "/": "question",
  n: "new",
  "?": "shortcuts",
};

type Pressed = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "isComposing">;

/** What a key asks for; `busy` says that the keys belong to a field or to what lies over the page. */
export function shortcutOf(event: Pressed, busy: boolean): Shortcut | null {
  const { key, ctrlKey, metaKey, altKey, isComposing } = event;
  if (isComposing || altKey) return null;
  if (ctrlKey || metaKey) return key.toLowerCase() === "k" ? "palette" : null;
  return busy ? null : (SINGLE[key] ?? null);
}

/** Whether what has the focus takes letters for itself, or an open dialog or menu does. */
export function takesLetters(target: EventTarget | null): boolean {
  if (document.querySelector("dialog[open], [role=dialog], [popover=auto]:popover-open"))
    return true;
  return (
    target instanceof Element &&
    target.closest(
      "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]",
    ) !== null
  );
}
