/** A stretch of a line that is one of the places found, by its number among them. */
export interface Mark {
  start: number;
  end: number;
  nth: number;
}

/** Unicode takes these strokes for part of their letters; who types without accents does not. */
const STROKED: Record<string, string> = { đ: "d", ł: "l", ø: "o" };

/** Letters as a search compares them: without case and accents; every white space is one blank. */
function fold(text: string): string {
  const small = text.toLowerCase().replace(/\s/g, " ");
  if (/^[ -~]*$/.test(small)) return small; // most lines: the rest takes its time
  return small
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[đłø]/g, (letter) => STROKED[letter] ?? letter);
}

/** Lines joined for searching, so that words that a line break parts are found too. */
export class Searchable {
  readonly #text: string;
  /** Where each line starts in the text. */
  readonly #starts: number[] = [0];

  constructor(readonly lines: readonly string[]) {
    const folded = lines.map(fold);
    let at = 0;
    for (const line of folded) this.#starts.push((at += line.length + 1));
    this.#text = folded.join(" ");
  }

  find(words: string): Found {
    const wanted = fold(words.trim().replace(/\s+/g, " "));
    const places = [];
    if (wanted)
      for (let at = -1; (at = this.#text.indexOf(wanted, at + 1)) >= 0; at += wanted.length - 1)
        places.push(at);
    return new Found(this.lines, this.#starts, places, wanted.length);
  }
}

/** Where words were found, in order. Which letters these are is worked out for the lines drawn. */
export class Found {
  constructor(
    readonly lines: readonly string[],
    readonly starts: readonly number[],
    readonly places: readonly number[],
    readonly length: number,
  ) {}

  get count(): number {
    return this.places.length;
  }

  /** The line in which a place begins. */
  line(nth: number): number {
    return lastUpTo(this.starts, this.places[nth] ?? 0);
  }

  /** The first place in a line or behind it, or else the first of all. */
  from(line: number): number {
    const next = lastUpTo(this.places, (this.starts[line] ?? 0) - 1) + 1;
    return next < this.count ? next : 0;
  }

  marks(line: number): Mark[] {
    const start = this.starts[line] ?? 0;
    const end = (this.starts[line + 1] ?? Infinity) - 1;
    const marks = [];
    const before = lastUpTo(this.places, start - this.length);
    for (let nth = before + 1; (this.places[nth] ?? Infinity) < end; nth++) {
      const at = (this.places[nth] ?? 0) - start;
      marks.push({ ...unfolded(this.lines[line] ?? "", at, at + this.length), nth });
    }
    return marks;
  }
}

/** The stretch of a line whose folded letters are these. */
function unfolded(line: string, from: number, to: number): { start: number; end: number } {
  let start = from <= 0 ? 0 : line.length;
  let end = line.length;
  let folded = 0;
  let at = 0;
  for (const letter of line) {
    if (folded === from) start = at;
    if (folded >= to) {
      end = at;
      break;
    }
    folded += fold(letter).length;
    at += letter.length;
  }
  return { start, end };
}

/** The index of the last of ascending numbers that is at most `most`; -1 where none is. */
function lastUpTo(numbers: readonly number[], most: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? Infinity) <= most) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export interface Piece {
  text: string;
  nth: number | null;
}

/** A line cut at its marks. */
export function pieces(line: string, marks: readonly Mark[]): Piece[] {
  const cut: Piece[] = [];
  let end = 0;
  for (const mark of marks) {
    if (mark.start > end) cut.push({ text: line.slice(end, mark.start), nth: null });
    cut.push({ text: line.slice(mark.start, mark.end), nth: mark.nth });
    end = mark.end;
  }
  if (end < line.length) cut.push({ text: line.slice(end), nth: null });
  return cut;
}
