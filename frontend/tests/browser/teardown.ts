import { rmSync } from "node:fs";

export default function removeData(): void {
  const dataDir = process.env["TEST_DATA_DIR"];
  if (dataDir) rmSync(dataDir, { recursive: true, force: true });
}
