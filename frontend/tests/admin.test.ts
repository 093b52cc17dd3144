import { describe, expect, it } from "vitest";

import { amountOf, bytes, deed, lasting, partsOf, sums, used } from "../src/lib/admin";
import type { CostRow } from "../src/lib/types";

const row = (email: string | null, model: string, cost_usd: number): CostRow => ({
  day: "2026-01-02",
  user_id: null,
  email,
  model,
  calls: 2,
  input_tokens: 10,
  output_tokens: 5,
  cost_usd,
});

describe("costs", () => {
  it("are summed up by person and by model, the dearest first", () => {
    const rows = [row("a@b.c", "one", 0.5), row("d@e.f", "two", 1), row("a@b.c", "two", 0.75)];
    expect(sums(rows, "email")).toEqual([
      { name: "a@b.c", calls: 4, usd: 1.25 },
      { name: "d@e.f", calls: 2, usd: 1 },
    ]);
    expect(sums(rows, "model").map(({ name, usd }) => [name, usd])).toEqual([
      ["two", 1.75],
      ["one", 0.5],
    ]);
  });

  it("that nobody caused have a name too", () => {
    expect(sums([row(null, "one", 1)], "email")[0]?.name).toBe("Nobody in particular");
  });
});

describe("a part of the server", () => {
  it("is away where the app cannot do without it, and limited where it can", () => {
    const gone = { ok: false, detail: "Gone." };
    const fine = { ok: true, detail: "ok" };
    const health = {
      ready: false,
      database: fine,
      index: gone,
      worker: fine,
      model: gone,
      transcripts: { ok: true, detail: "Supadata" },
    };
    expect(partsOf(health).map(({ word, detail }) => [word, detail])).toEqual([
      ["Works", ""],
      ["Away", "Gone."],
      ["Works", ""],
      ["Limited", "Gone."],
      ["Works", "Supadata"],
    ]);
  });
});

describe("numbers", () => {
  it("are told in the unit that suits them", () => {
    expect([12, 4_200, 123_456_789, 1_250_000_000].map(bytes)).toEqual([
      "12 bytes",
      "4.2 kB",
      "123 MB",
      "1.3 GB",
    ]);
    expect([40, 720, 10_800, 432_000].map(lasting)).toEqual(["40 s", "12 min", "3 h", "5 days"]);
  });

  it("do not stand in the way of a deed that has no words yet", () => {
    expect(deed("invite")).toBe("invited");
    expect(deed("new_deed")).toBe("new deed");
  });
});

describe("a quota", () => {
  it("is what everybody has where nothing is typed, and no bound where it is 0", () => {
    expect(["", " ", "0", "1.5"].map(amountOf)).toEqual([null, null, 0, 1.5]);
  });

  it("stands beside what somebody has of it", () => {
    const none = { videos: 0, hours: 0, storage_mb: 0, daily_usd: 0 };
    const quotas = { own: {}, defaults: none, used: { ...none, hours: 1234.56, daily_usd: 0.5 } };
    expect(used(quotas, "hours")).toBe("has 1,234.6");
    expect(used(quotas, "daily_usd")).toBe("$0.50 today");
  });
});
