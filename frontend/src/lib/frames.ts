/**
 * Takes what comes in bursts in one go per frame, the last word about each key alone. A page that
 * is not looked at draws no frames; there a timer takes their place.
 */
export class Frames<T> {
  #waiting = new Map<string, T>();
  #scheduled = false;

  constructor(
    readonly key: (item: T) => string,
    readonly take: (items: T[]) => void,
  ) {}

  push(item: T): void {
    this.#waiting.set(this.key(item), item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (document.hidden) setTimeout(() => this.#flush(), 1_000);
    else requestAnimationFrame(() => this.#flush());
  }

  #flush(): void {
    const items = [...this.#waiting.values()];
    this.#waiting = new Map();
    this.#scheduled = false;
    this.take(items);
  }
}
