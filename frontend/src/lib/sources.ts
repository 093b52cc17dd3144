/** What a person pasted, split into links: separated by spaces, commas or new lines, each once. */
export function splitLinks(pasted: string): string[] {
  return [...new Set(pasted.split(/[\s,]+/).filter(Boolean))];
}

export const TRANSCRIPT_FILES = ".srt,.vtt,.json";

export function isTranscriptFile(name: string): boolean {
  return /\.(srt|vtt|json)$/i.test(name);
}
