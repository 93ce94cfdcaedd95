import { expect, test } from "vitest";
import { installExcerpt, installFault } from "../../../src/checkout/install-failure.ts";

test.for([
  [
    "environment",
    "npm error code ECONNREFUSED\nnpm error errno ECONNREFUSED\nnpm error FetchError: request to http://127.0.0.1:1/x failed",
  ],
  ["environment", "npm ERR! code E503\nnpm ERR! 503 Service Unavailable"],
  ["environment", "npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write"],
  ["environment", "npm error code E401\nnpm error Incorrect or missing password."],
  ["environment", " ERR_PNPM_META_FETCH_FAIL  GET https://r/x: request to https://r/x failed, reason: connect ECONNREFUSED"],
  ["environment", 'error An unexpected error occurred: "https://r/x: getaddrinfo ENOTFOUND r".'],
  ["work", "npm error code EUSAGE\nnpm error `npm ci` can only install packages when your package.json and package-lock.json are in sync"],
  ["work", "npm error code E404\nnpm error 404 Not Found - GET https://r/no-such-package"],
  ["work", "npm error code ETARGET\nnpm error notarget No matching version found for ENOTFOUND@9"],
  ["work", "npm error code EINTEGRITY\nnpm error sha512 integrity checksum failed"],
  ["work", ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile"'],
  ["work", ""],
] as const)("%s: %s", ([fault, said]) => {
  expect(installFault(said)).toBe(fault);
});

test("the excerpt says what was wrong, not how npm is used", () => {
  const said = [
    "npm warn old lockfile",
    "npm error code EUSAGE",
    "npm error",
    "npm error Missing: other@1.0.0 from lock file",
    "npm error",
    "npm error Clean install a project",
    "npm error",
    "npm error Usage:",
    "npm error npm ci",
    "npm error A complete log of this run can be found in: /home/me/.npm/_logs/x.log",
    "",
  ].join("\n");
  expect(installExcerpt(said)).toBe("npm error code EUSAGE\nnpm error Missing: other@1.0.0 from lock file");
});
