export type Part = "library" | "chat" | "video";

/** Which part a screen too narrow for all three shows. */
class Screen {
  part = $state<Part>("chat");

  show(part: Part): void {
    this.part = part;
  }
}

export const screen = new Screen();
