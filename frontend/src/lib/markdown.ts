import DOMPurify from "dompurify";
import { Marked, type Tokens } from "marked";

import { spoken } from "./time";

/** What a chip needs to say of the place it stands for. */
export interface Cited {
  n: number;
  title: string;
  start_s: number;
}

const ALLOWED_TAGS =
  "a blockquote br button code del em h3 h4 h5 h6 hr li ol p pre strong table tbody td th thead tr ul".split(
    " ",
  );
const BLOCKS = "blockquote, h3, h4, h5, h6, ol, p, td, th, ul";
const ALLOWED_ATTR = ["aria-label", "class", "data-n", "href", "rel", "start", "target", "type"];

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (text: string) => text.replace(/[&<>"]/g, (sign) => escapes[sign] ?? sign);

interface CitationToken extends Tokens.Generic {
  numbers: number[];
}

function chip(cited: Cited): string {
  const label = escape(`Source ${cited.n}: ${cited.title}, at ${spoken(cited.start_s)}`);
  return `<button type="button" class="cite" data-n="${cited.n}" aria-label="${label}">${cited.n}</button>`;
}

/** Markdown as an answer may use it: no HTML, no images, headings below the page's own. */
function parser(cited: ReadonlyMap<number, Cited>): Marked {
  return new Marked({
    gfm: true,
    extensions: [
      {
        name: "citation",
        level: "inline",
        start: (source) => source.match(/\[\d/)?.index,
        tokenizer(source) {
          const match = /^\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()/.exec(source);
          const numbers = match?.[1]?.split(/[,;]/).map(Number) ?? [];
          if (!match || !numbers.some((n) => cited.has(n))) return undefined;
          return { type: "citation", raw: match[0], numbers };
        },
        renderer: (token) =>
          (token as CitationToken).numbers
            .flatMap((n) => cited.get(n) ?? [])
            .map(chip)
            .join(""),
      },
    ],
    renderer: {
      html: ({ text }) => escape(text),
      image: ({ text }) => escape(text),
      heading({ tokens, depth }) {
        const level = Math.min(6, depth + 2);
        return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
      },
    },
  });
}

/**
 * An answer as safe HTML, one string for each top-level block, so that a growing answer
 * only redraws its last one. `[n]` becomes a chip where `cited` knows n.
 */
export function renderBlocks(markdown: string, cited: ReadonlyMap<number, Cited>): string[] {
  const marked = parser(cited);
  return marked
    .lexer(markdown)
    .filter((token) => token.type !== "space")
    .map((token) => sanitize(marked.parser([token])));
}

function sanitize(html: string): string {
  const fragment = DOMPurify.sanitize(html, {
    ALLOWED_TAGS,
    ALLOWED_ATTR,
    ALLOWED_URI_REGEXP: /^https?:\/\//i,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const link of fragment.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener nofollow";
  }
  // Each block runs the way its own first letters do; what stands in a block goes with it.
  for (const block of fragment.querySelectorAll<HTMLElement>(BLOCKS))
    if (!block.parentElement?.closest("[dir]")) block.dir = "auto";
  const holder = document.createElement("div");
  holder.append(fragment);
  return holder.innerHTML;
}
