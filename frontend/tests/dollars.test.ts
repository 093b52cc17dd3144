import { expect, test } from "vitest";

import { exactDollars } from "../src/lib/dollars";

test("sums are told to the cent, and less than a cent by its first digits", () => {
  expect([0, 0.00123, 0.000012, 0.5, 1234.567].map(exactDollars)).toEqual([
    "$0",
    "$0.0012",
    "$0.000012",
    "$0.50",
    "$1,234.57",
  ]);
});
