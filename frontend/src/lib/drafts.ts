import { readStored, store } from "./stored";

/** A thing that can be asked about, under the name that its chip shows. */
export interface Named {
  id: string;
  name: string;
}

/** What a post is written by: a built-in template, or a person's own with its blanks. */
export interface ChosenTemplate extends Named {
  variables: string[];
}

/** A question being written, with what it is to be asked of and how it is to be answered. */
export interface Drafted {
  text: string;
  videos: Named[];
  collection: Named | null;
  template: ChosenTemplate | null;
  values: Record<string, string>;
}

export const BLANK: Drafted = {
  text: "",
  videos: [],
  collection: null,
  template: null,
  values: {},
};

const KEY = "talker.drafts";
const MOST_DRAFTS = 20;
const LONGEST = 20_000;
/** The page where the next conversation starts has no id of its own yet. */
const NEW = "new";

export function readDraft(conversation: string | null): Drafted {
  const found = stored().find(([id]) => id === (conversation ?? NEW));
  return { ...BLANK, ...found?.[1] };
}

/** Keep a draft for this conversation; one that says nothing takes no room. */
export function keepDraft(conversation: string | null, draft: Drafted): void {
  const id = conversation ?? NEW;
  const others = stored().filter(([other]) => other !== id);
  const short = { ...draft, text: draft.text.slice(0, LONGEST) };
  const kept: Entry[] = saysNothing(draft) ? others : [[id, short], ...others];
  store(KEY, kept.length ? JSON.stringify(kept.slice(0, MOST_DRAFTS)) : null);
}

type Entry = [id: string, draft: Partial<Drafted>];

/** The drafts, the last touched first. */
function stored(): Entry[] {
  const text = readStored(KEY);
  return text === null ? [] : (JSON.parse(text) as Entry[]);
}

const saysNothing = ({ text, videos, collection, template }: Drafted) =>
  !text && !videos.length && !collection && !template;
