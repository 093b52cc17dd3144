/** What a person pasted, split into links: separated by spaces, commas or new lines, each once. */
export function splitLinks(pasted: string): string[] {
  return [...new Set(pasted.split(/[\s,]+/).filter(Boolean))];
}

export const TRANSCRIPT_FILES = ".srt,.vtt,.json,.json3,.txt";

/** Lines and times alone; our JSON names its video itself, and yt-dlp does in the file's name. */
export function namesNothing(fileName: string): boolean {
  return /\.(srt|vtt|json3|txt)$/i.test(fileName) && !/\[[\w-]{11}\]/.test(fileName);
}

/** So many links may be added without asking what that costs. */
const FEW_LINKS = 10;

/** Whether these links are worth knowing the price of first: lists, or more than a few. */
export function costsAQuestion(links: readonly string[]): boolean {
  return links.length > FEW_LINKS || links.some(namesList);
}

/**
 * Whether a link, a bare id or a bare @handle is a playlist's or a channel's. A video inside a
 * playlist is a video. The server has the last word; this only decides whether to ask first.
 */
export function namesList(link: string): boolean {
  if (/^@[\w.\u00b7-]+$/u.test(link) || /^(PL|UU|OL|FL)[\w-]{16,}$|^UC[\w-]{22}$/.test(link))
    return true;
  const written = link.includes("://") ? link : `https://${link}`;
  if (!URL.canParse(written)) return false;
  const { hostname, pathname, searchParams } = new URL(written);
  if (!/(^|\.)(youtube\.com|youtu\.be)$/.test(hostname)) return false;
  if (/^\/(@|channel\/|c\/|user\/)/.test(pathname)) return true;
  const video = searchParams.has("v") || /^\/(shorts|live|embed|v)\//.test(pathname);
  return searchParams.has("list") && !video && !hostname.endsWith("youtu.be");
}

/** Whether this names languages the way the API takes them: `pl`, or `pl, en` in order. */
export function namesLanguages(text: string): boolean {
  return /^([a-z]{2,3}(-[a-z0-9]{2,8})*(\s*,\s*|$))+$/i.test(text) && !/,\s*$/.test(text);
}

const LINK = /(?:https?:\/\/)?(?:www\.|m\.|music\.)?(?:youtube\.com\/|youtu\.be\/)[^\s<>"']+/gi;

/** What a message will do with the links in it; null where it names nothing of YouTube. */
export function linkNotice(text: string): string | null {
  const links = text.match(LINK) ?? [];
  if (!links.length) return null;
  const asks = /[\p{L}\p{N}]/u.test(text.replace(LINK, ""));
  const [what, it] = links.some(namesList)
    ? ["the videos of this list", "them"]
    : links.length > 1
      ? ["these videos", "them"]
      : ["this video", "it"];
  return `Enter adds ${what}${asks ? ` and asks your question of ${it}` : ""}. You see the price first.`;
}
