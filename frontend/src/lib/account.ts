import * as api from "./api";
import { LOGIN } from "./door";
import { forgetPerson } from "./stored";

/** Log out, and leave nothing of this person in the browser. */
export async function leave(): Promise<void> {
  await api.logOut();
  forget();
}

export async function deleteAccount(): Promise<void> {
  await api.deleteMe();
  forget();
}

/** What a browser calls itself, in a few words. */
export function deviceName(agent: string): string {
  const browser = BROWSERS.find(([, mark]) => agent.includes(mark))?.[0];
  const system = SYSTEMS.find(([, mark]) => agent.includes(mark))?.[0];
  return [browser ?? (agent.slice(0, LONGEST) || "Unknown"), system].filter(Boolean).join(" on ");
}

/** Drafts and such were this person's; the next one here may be another. */
function forget(): void {
  forgetPerson();
  location.assign(LOGIN);
}

const LONGEST = 40;

/** In this order: many call themselves Chrome and Safari too. */
const BROWSERS = [
  ["Edge", "Edg/"],
  ["Opera", "OPR/"],
  ["Firefox", "Firefox/"],
  ["Chrome", "Chrome/"],
  ["Safari", "Safari/"],
] as const;

const SYSTEMS = [
  ["Android", "Android"],
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Windows", "Windows"],
  ["macOS", "Macintosh"],
  ["Linux", "Linux"],
] as const;
