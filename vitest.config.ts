import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { ClosingReporter } from "./test/reporter.ts";

/** Suites of their own: what needs a browser, tmux or agent clients (`full`), long campaigns of kills (`faults`, `storm`, `races`). */
const suite = process.env["GRAFTWORK_TEST_SUITE"];
const version: unknown = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")).version;

export default defineConfig({
  define: { GRAFTWORK_VERSION: JSON.stringify(version) },
  test: {
    include: suite === undefined ? ["test/**/*.test.ts"] : [`test/${suite}/**/*.test.ts`],
    exclude: suite === undefined ? ["test/full/**", "test/faults/**", "test/storm/**", "test/races/**"] : [],
    passWithNoTests: suite !== undefined,
    globalSetup: ["test/fixtures/global-setup.ts"],
    reporters: [new ClosingReporter()],
    // Real git and real programs on a busy machine: the limit finds what hangs, it is no measurement.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    // Tests wait for programs more than they compute; vitest itself would leave one of two cores idle.
    ...(suite === undefined ? { maxWorkers: 2 } : {}),
    coverage: { provider: "v8", include: ["src/**/*.ts"], reporter: ["text-summary", "html"] },
  },
});
