/** What the words before the cursor ask to be completed: `@` what to ask about, `/` what to do. */
export interface Trigger {
  sign: "@" | "/";
  words: string;
  /** The stretch of the text that a choice takes the place of. */
  from: number;
  to: number;
}

const COMMAND = /^\/([\p{L}\p{N}][\p{L}\p{N} -]{0,40})?$/u;
const ABOUT = /(?:^|\s)@([^\s@][^@\n]{0,40})?$/;

/** The trigger at the cursor; null where plain words stand. */
export function triggerAt(text: string, cursor: number): Trigger | null {
  const before = text.slice(0, cursor);
  const command = COMMAND.exec(before);
  if (command) return { sign: "/", words: (command[1] ?? "").trim(), from: 0, to: cursor };
  const about = ABOUT.exec(before);
  if (!about) return null;
  const words = about[1] ?? "";
  return { sign: "@", words: words.trim(), from: cursor - words.length - 1, to: cursor };
}

/** The text with words in the trigger's place, and where the cursor then stands. */
export function replaced(text: string, { from, to }: Trigger, words: string): [string, number] {
  const before = text.slice(0, from);
  const after = text.slice(to);
  const joined = words || !before.endsWith(" ") ? after : after.replace(/^ /, "");
  return [before + words + joined, from + words.length];
}

/** Whether each of the words is somewhere in the text, whatever the case. */
export function hasWords(text: string, words: string): boolean {
  const folded = text.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => folded.includes(word));
}
