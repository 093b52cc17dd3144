import { describe, expect, test } from "vitest";

import {
  offeredDetails,
  offerPrice,
  offerTitle,
  type LoadPrice,
  type Offered,
} from "../src/lib/offer";

const video: Offered = {
  source: "https://youtu.be/abcdefghij0",
  kind: "video",
  youtube_id: "abcdefghij0",
  title: "The deep ocean",
  channel: "Ada",
  duration_s: 754,
  videos: 1,
  known: 0,
  failure: null,
};
const list: Offered = { ...video, kind: "playlist", channel: null, duration_s: null, videos: 120 };
const price: LoadPrice = { new: 1, credits: 2, cost_usd: 0, seconds: 40 };

describe("what may be loaded", () => {
  test("is named by its kind and number, what cannot be loaded not counted", () => {
    const titled = (videos: Offered[]) => offerTitle({ prompt: "", videos, price });
    expect(titled([video, { ...video, failure: "It is private." }])).toBe("Load this video?");
    expect(titled([list])).toBe("Load this playlist?");
    expect(titled([video, video])).toBe("Load these 2 videos?");
    expect(titled([video, list])).toBe("Load these 2 links?");
  });

  test("tells channel and length, or how many videos there are and which are free", () => {
    expect(offeredDetails(video)).toBe("Ada · 12:34");
    expect(offeredDetails({ ...video, known: 1 })).toBe("Ada · 12:34 · loaded already");
    expect(offeredDetails({ ...list, known: 30 })).toBe("120 videos · 30 loaded already");
  });

  test.each([
    [price, "Costs 2 Supadata credits; takes under a minute."],
    [{ ...price, credits: 0 }, "Free; takes under a minute."],
    [
      { ...price, credits: 1, cost_usd: 0.2, seconds: 600 },
      "Costs 1 Supadata credit and about $0.20 for embedding; takes about 10 minutes.",
    ],
    [
      { ...price, credits: 0, cost_usd: null },
      "Costs embedding at a price unknown; takes under a minute.",
    ],
    [{ ...price, new: 0 }, "Loaded already, so it costs nothing."],
  ])("costs what %j says", (told, line) => {
    expect(offerPrice(told)).toBe(line);
  });
});
