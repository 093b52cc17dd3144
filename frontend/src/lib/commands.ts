import type { IconName } from "../islands/Icon.svelte";
import { hasWords } from "./completion";
import type { ChosenTemplate } from "./drafts";
import type { Template } from "./types";

/** Words that the server understands, put into the question by `/`. */
export interface Command {
  id: string;
  name: string;
  hint: string;
  icon: IconName;
  words: string;
  template?: ChosenTemplate;
}

const say = (id: string, name: string, hint: string, icon: IconName, words: string): Command => ({
  id,
  name,
  hint,
  icon,
  words,
});

const post = (id: string, name: string, hint: string, words: string): Command => ({
  ...say(id, name, hint, "edit", words),
  template: { id, name, variables: [] },
});

const BUILT_IN: readonly Command[] = [
  say("summary", "Summary", "The essentials, in short", "list", "Give me a summary"),
  say("detailed", "Detailed summary", "Section by section", "list", "Give me a detailed summary"),
  say(
    "key-moments",
    "Key moments",
    "What not to miss, with times",
    "play",
    "Show me the key moments",
  ),
  say("chapters", "Chapters", "The parts, with times", "select", "Give me the chapters"),
  say("study-guide", "Study guide", "Terms, questions, answers", "library", "Make a study guide"),
  say("compare", "Compare", "Where videos agree and differ", "filter", "Compare these videos"),
  post("linkedin", "LinkedIn post", "Plain text, a few hashtags", "Write a LinkedIn post"),
  post("blog", "Blog post", "With a title and headings", "Write a blog post"),
  post("x_thread", "Thread for X", "Posts of 280 characters", "Write a thread for X"),
  post("newsletter", "Newsletter", "Subject, preview, sections", "Write a newsletter"),
  say("find", "Find videos", "Where something is talked about", "search", "Find videos about "),
  say("list", "List videos", "What the library holds", "library", "List my videos"),
];

/** The commands that have these words; the person's own templates come last. */
export function commandsFor(words: string, own: readonly Template[]): Command[] {
  return [...BUILT_IN, ...own.map(ownCommand)].filter(({ name, id }) =>
    hasWords(`${name} ${id}`, words),
  );
}

function ownCommand({ id, name, description, variables }: Template): Command {
  return {
    ...say(id, name, description || "A template of yours", "file", `Write “${name}”`),
    template: { id, name, variables },
  };
}
