import { Marked, type Tokens } from "marked";

import { clock } from "./time";
import type { Citation } from "./types";

const MARKS = /\s*\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\](?!\()/g;

/** An answer as plain text: with its sources and their links to the second, or without any. */
export function plainAnswer(
  content: string,
  citations: readonly Citation[],
  links: boolean,
): string {
  if (!links) return plainText(content.replace(MARKS, ""));
  const sources = citations.map(sourceLine);
  return [plainText(content), ...(sources.length ? ["Sources", sources.join("\n")] : [])].join(
    "\n\n",
  );
}

/** `[1] Title, 4:07 – https://…` */
function sourceLine({ n, title, start_s, url }: Citation): string {
  return `[${n}] ${title}, ${clock(start_s)}${url ? ` – ${url}` : ""}`;
}

/** Markdown without its signs, paragraphs and list items kept apart. */
export function plainText(markdown: string): string {
  const text = plain.parse(markdown, { async: false });
  return text.replace(/\n{3,}/g, "\n\n").trim();
}

const plain = new Marked({
  gfm: true,
  renderer: {
    space: () => "",
    code: ({ text }) => `${text}\n\n`,
    blockquote({ tokens }) {
      return this.parser.parse(tokens);
    },
    html: ({ text }) => text,
    heading({ tokens }) {
      return `${this.parser.parseInline(tokens)}\n\n`;
    },
    hr: () => "",
    list({ items, ordered, start }) {
      const lines = items.map((item, index) => {
        const sign = ordered ? `${Number(start || 1) + index}.` : "-";
        return `${sign} ${indented(this.parser.parse(item.tokens).trim())}`;
      });
      return `${lines.join("\n")}\n\n`;
    },
    paragraph({ tokens }) {
      return `${this.parser.parseInline(tokens)}\n\n`;
    },
    table({ header, rows }) {
      const line = (cells: Tokens.TableCell[]) =>
        cells.map(({ tokens }) => this.parser.parseInline(tokens)).join(" | ");
      return `${[header, ...rows].map(line).join("\n")}\n\n`;
    },
    strong({ tokens }) {
      return this.parser.parseInline(tokens);
    },
    em({ tokens }) {
      return this.parser.parseInline(tokens);
    },
    del({ tokens }) {
      return this.parser.parseInline(tokens);
    },
    codespan: ({ text }) => text,
    br: () => "\n",
    link({ tokens, href }) {
      const text = this.parser.parseInline(tokens);
      return text === href ? href : `${text} (${href})`;
    },
    image: ({ text }) => text,
    text(token) {
      return "tokens" in token && token.tokens
        ? `${this.parser.parseInline(token.tokens)}\n`
        : token.text;
    },
  },
});

const indented = (text: string) => text.replace(/\n+/g, "\n  ");
