/**
 * The messages that YouTube's embedded player exchanges with its page when `enablejsapi=1`:
 * JSON strings over postMessage, as in https://www.youtube.com/iframe_api. The page says
 * `listening` until the player answers; from then on it reports time and state by itself.
 */

export const PLAYER_ORIGIN = "https://www.youtube-nocookie.com";

export type PlayerReport =
  | { type: "ready" }
  | { type: "time"; seconds: number }
  | { type: "state"; playing: boolean }
  | { type: "error"; sentence: string };

export function embedAddress(youtubeId: string, pageOrigin: string, startS: number): string {
  const address = new URL(`/embed/${encodeURIComponent(youtubeId)}`, PLAYER_ORIGIN);
  address.search = new URLSearchParams({
    enablejsapi: "1",
    origin: pageOrigin,
    playsinline: "1",
    rel: "0",
    start: String(Math.floor(startS)),
  }).toString();
  return address.href;
}

/** A link that opens the video at a second; null where the video has no address. */
export function linkAt(url: string | null, seconds: number): string | null {
  if (!url || !URL.canParse(url)) return null;
  const address = new URL(url);
  if (!/^https?:$/.test(address.protocol)) return null;
  address.searchParams.set("t", `${Math.floor(seconds)}s`);
  return address.href;
}

export const LISTENING = JSON.stringify({ event: "listening", id: 1, channel: "widget" });

export function command(func: "seekTo" | "playVideo" | "pauseVideo", args: unknown[] = []): string {
  return JSON.stringify({ event: "command", func, args, id: 1, channel: "widget" });
}

const PLAYING = 1;
const BUFFERING = 3;

/** What one message of the player says; an empty list for anything else. */
export function reports(data: unknown): PlayerReport[] {
  const message = parse(data);
  switch (message["event"]) {
    case "onReady":
    case "readyToListen":
      return [{ type: "ready" }];
    case "initialDelivery":
    case "infoDelivery":
      return information(message["info"]);
    case "onError":
      return [{ type: "error", sentence: errorSentence(message["info"]) }];
    default:
      return [];
  }
}

function parse(data: unknown): Record<string, unknown> {
  if (typeof data !== "string") return {};
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // other programs in the frame may post what they like
  }
}

function information(info: unknown): PlayerReport[] {
  const { currentTime, playerState } = (info ?? {}) as Record<string, unknown>;
  const found: PlayerReport[] = [{ type: "ready" }];
  if (typeof currentTime === "number") found.push({ type: "time", seconds: currentTime });
  if (typeof playerState === "number")
    found.push({ type: "state", playing: playerState === PLAYING || playerState === BUFFERING });
  return found;
}

/** Codes from https://developers.google.com/youtube/iframe_api_reference#onError. */
function errorSentence(code: unknown): string {
  switch (code) {
    case 100:
      return "YouTube says that this video was removed or is private.";
    case 101:
    case 150:
      return "The video's owner does not let it play outside YouTube.";
    default:
      return "YouTube's player could not play this video here.";
  }
}
