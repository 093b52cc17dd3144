/** What a person pasted, split into links: separated by spaces, commas or new lines, each once. */
export function splitLinks(pasted: string): string[] {
  return [...new Set(pasted.split(/[\s,]+/).filter(Boolean))];
}

export const TRANSCRIPT_FILES = ".srt,.vtt,.json";

/** SubRip and WebVTT carry lines and times alone; our JSON names its video itself. */
export function namesNothing(fileName: string): boolean {
  return /\.(srt|vtt)$/i.test(fileName);
}
