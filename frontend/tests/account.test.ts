import { expect, test } from "vitest";

import { deviceName } from "../src/lib/account";

test("a login is named by its browser and system", () => {
  const edge =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0";
  expect(deviceName(edge)).toBe("Edge on Windows");
  const phone =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/19.0 Mobile Safari/604.1";
  expect(deviceName(phone)).toBe("Safari on iPhone");
  expect(deviceName("curl/8.5.0")).toBe("curl/8.5.0");
  expect(deviceName("")).toBe("Unknown");
});
