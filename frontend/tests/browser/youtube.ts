import type { Page } from "@playwright/test";

/** What the page has asked of the player so far, in order. */
export interface Command {
  func: string;
  args: unknown[];
}

/**
 * A page that speaks the embedded player's side of its protocol: silent until it hears
 * `listening`, then it reports its time four times a second while it plays.
 */
export const STAND_IN = `<!doctype html>
<html lang="en"><title>Stand-in player</title>
<style>body { margin: 0; height: 100vh; display: grid; place-items: center; background: #111; color: #eee; font: 2rem sans-serif }</style>
<main><h1 id="time">0.0</h1></main>
<script>
  window.commands = [];
  let at = Number(new URLSearchParams(location.search).get("start") || 0), playing = false, heard = false;
  const say = (event, info) => parent.postMessage(JSON.stringify({ event, info, id: 1 }), "*");
  const tell = () => { document.getElementById("time").textContent = at.toFixed(1); say("infoDelivery", { currentTime: at, playerState: playing ? 1 : 2 }) };
  addEventListener("message", ({ data, source }) => {
    if (source !== parent) return;
    const message = JSON.parse(data);
    if (message.event === "listening" && !heard) {
      heard = true;
      say("onReady", null);
      say("initialDelivery", { currentTime: at, playerState: -1 });
    }
    if (message.event !== "command") return;
    window.commands.push({ func: message.func, args: message.args });
    if (message.func === "seekTo") at = message.args[0];
    if (message.func === "playVideo") playing = true;
    tell();
  });
  setInterval(() => { if (playing) { at += 0.25; tell() } }, 250);
</script></html>`;

export async function commands(page: Page): Promise<Command[]> {
  const frame = page.frames().find((one) => one.url().includes("youtube-nocookie.com/embed/"));
  return frame ? frame.evaluate(() => (window as unknown as { commands: Command[] }).commands) : [];
}

/** The second of the last `seekTo`, or null. */
export async function soughtSecond(page: Page): Promise<number | null> {
  const last = (await commands(page)).findLast(({ func }) => func === "seekTo");
  return typeof last?.args[0] === "number" ? last.args[0] : null;
}
