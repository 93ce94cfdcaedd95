import { writeFileSync } from "node:fs";
import { DefaultReporter, type SerializedError, type TestCase, type TestModule, type TestRunEndReason } from "vitest/node";

/** Vitest's own report, then each skip with its reason, the ten slowest tests, and one closing line for machines. */
export class ClosingReporter extends DefaultReporter {
  override onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], reason: TestRunEndReason): void {
    super.onTestRunEnd(modules, errors, reason);
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    this.reportSkips(tests.filter((test) => test.result().state === "skipped"));
    this.reportSlowest(tests);

    const failed = tests.filter((test) => test.result().state === "failed").length;
    // A file that did not load, a hook that threw and an error between tests have no test that could have failed.
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length + suiteErrors(modules);
    const passed = tests.filter((test) => test.result().state === "passed").length;
    const skipped = tests.length - passed - failed;
    this.close(`${passed} passed, ${failed + broken} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  }

  private reportSkips(skipped: readonly TestCase[]): void {
    // With a name pattern, everything that does not match it counts as skipped: no news.
    if (this.ctx.config.testNamePattern !== undefined) return;
    for (const test of skipped) this.ctx.logger.log(`skipped: ${where(test)}: ${reasonOf(test)}`);
  }

  private reportSlowest(tests: readonly TestCase[]): void {
    const timed = tests.map((test) => ({ test, ms: test.diagnostic()?.duration ?? 0 })).sort((a, b) => b.ms - a.ms);
    if (timed.length > 0) this.ctx.logger.log("slowest tests:");
    for (const { test, ms } of timed.slice(0, 10)) this.ctx.logger.log(`${Math.round(ms).toString().padStart(7)} ms  ${where(test)}`);
  }

  private close(line: string): void {
    const file = process.env["GRAFTWORK_TEST_CLOSING"];
    // scripts/test.mjs prints it after everything that vitest may still say (coverage, for one).
    if (file === undefined) this.ctx.logger.log(line);
    else writeFileSync(file, line);
  }
}

function suiteErrors(modules: readonly TestModule[]): number {
  const suites = modules.flatMap((module) => [...module.children.allSuites()]);
  return suites.filter((suite) => suite.errors().length > 0).length;
}

function where(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName.replace(/\s+/g, " ")}`;
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return (result.state === "skipped" && result.note) || "no reason given; use context.skip(reason)";
}
