import { readFileSync } from "node:fs";
import type { Files } from "../fixtures/index.ts";

/**
 * A project of one function, one caller and one setting, whose test calls every caller; and six branches of it, each
 * green alone. Two get in nobody's way; two change one line of a file; one renames the function and one calls it by
 * its old name, which no textual merge notices. The benchmark gives the same six to other tools.
 */
export const { project: PROJECT, branches: SIX } = JSON.parse(
  readFileSync(new URL("../../bench/peers/six-branches.json", import.meta.url), "utf8"),
) as { project: Files; branches: Readonly<Record<string, Readonly<Record<string, string>>>> };
