import type { APIRequestContext } from "@playwright/test";

import { expect } from "./app";
import { BREAD_SRT } from "./captions";

const YOUTUBE_ID = "abcdefghij2";
const file = { name: "bread.srt", mimeType: "text/plain", buffer: Buffer.from(BREAD_SRT) };

/** The address of a video about bread, loaded where it was not. */
export async function bread(request: APIRequestContext): Promise<string> {
  const find = async () => {
    const { items } = (await (await request.get("/api/videos?status=ready")).json()) as {
      items: { id: string; youtube_id: string | null }[];
    };
    return items.find(({ youtube_id }) => youtube_id === YOUTUBE_ID)?.id;
  };
  if (!(await find())) {
    const multipart = { file, url: `https://youtu.be/${YOUTUBE_ID}` };
    expect((await request.post("/api/videos/upload", { multipart })).ok()).toBe(true);
    await expect.poll(find, { timeout: 30_000 }).toBeTruthy();
  }
  return `/v/${await find()}`;
}
