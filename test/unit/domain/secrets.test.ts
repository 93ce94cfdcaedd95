import { describe, expect, test } from "vitest";
import { hideSecrets, secretsIn, secretValuesOf } from "../../../src/domain/index.ts";

// Made up from parts, so that no scanner takes this file for a leak.
const AWS = ["AKIA", "QZ7WMPLE4XKTN2RB"].join("");

describe("values of a file of variables", () => {
  test.each([
    ["DB_PASSWORD=correct-horse", ["correct-horse"]],
    ["export API_TOKEN='abc def'", ["abc def"]],
    ["DATABASE_URL=postgres://app:hunter22@db/app", ["hunter22"]],
    ['SESSION="s3cr3t-value" # of the shop', ["s3cr3t-value"]],
    ["ID=4f9c2b7d8e1a6c3f5b0d9e8a", ["4f9c2b7d8e1a6c3f5b0d9e8a"]],
    ["DB_PASSWORD=s3cret", ["s3cret"]],
    ["DB_PASSWORD=87654321", ["87654321"]],
    ["DB_PASSWORD=correcthorsebatterystaple", ["correcthorsebatterystaple"]],
    ["API_KEY_VERSION=k-4f9c2b7d8e1a6c3f", ["k-4f9c2b7d8e1a6c3f"]],
    ["WEBHOOK_URL=https://hooks.example.com/services/T01ABCD23", ["https://hooks.example.com/services/T01ABCD23"]],
  ])("%s is worth hiding", (line, values) => expect(secretValuesOf(line).map(({ value }) => value)).toEqual(values));

  test.each([
    "PORT=3000",
    "NODE_ENV=development",
    "HOST=localhost",
    "TOKEN_TTL=3600",
    "# SECRET=commented-out",
    "DEBUG=true",
    "no line",
    "",
    "AUTH_PROVIDER=google",
    "CACHE_KEY_PREFIX=images",
    "SESSION_DRIVER=cookie",
    "SECRET_MODE=development",
    "APP_KEY=changeme",
    "KEY_TYPE=RSA-4096",
    "SESSION_VERSION=v1.2.3",
    "AUTH_PROVIDER=google-oauth2",
    "AUTH_URL=http://localhost:3000/auth/callback",
    "DATABASE_URL=postgres://postgres:postgres@localhost/app",
  ])("%s is not", (line) => expect(secretValuesOf(line)).toEqual([]));
});

describe("a text", () => {
  const values = [{ name: "DB_PASSWORD", value: 'a "quoted" one' }];

  test("is told to hold keys of known forms and known values, without repeating them", () => {
    const found = secretsIn(`k = ${AWS}; p = a "quoted" one`, values);
    expect(found).toEqual(["what looks like an AWS access key", "the value of DB_PASSWORD"]);
    expect(secretsIn("nothing", values)).toEqual([]);
  });

  test("has each of them hidden, also as JSON writes them", () => {
    expect(hideSecrets(`${AWS} ${AWS} a "quoted" one`, values)).toBe("*** *** ***");
    expect(hideSecrets(JSON.stringify({ said: 'a "quoted" one' }), values)).toBe('{"said":"***"}');
  });

  const part = "Qm9vdHN0cmFwVG9rZW5Gb3JBVGVzdE9ubHlfXzAx";
  test.each([
    ["a key with capitals and digits", `sk-${part}`],
    ["a key of hexadecimal digits", `sk-${"0a1b2c3d".repeat(4)}`],
    ["a GitHub token", `ghp_${part.slice(0, 36)}`],
    ["a GitLab token", `glpat-${part.slice(0, 20)}`],
    ["a Slack token", `xoxb-${part.slice(0, 24)}`],
  ])("is told to hold %s", (_, key) => {
    expect(secretsIn(`k = "${key}"`, [])).toHaveLength(1);
    expect(hideSecrets(`k = "${key}"`, [])).toBe('k = "***"');
  });

  test.each([
    ".sk-cube-grid-wrapper-with-a-long-class-name-here",
    ".sk-cube-grid-2-wrapper-with-a-long-class-name-here",
    "glpat-token-input-field-wrapper",
    "xoxb-your-slack-bot-token-goes-here",
    "ASIAPACIFICSOUTHEAST",
  ])("is not told to hold a key if it only has the words %s", (words) => {
    expect(secretsIn(words, [])).toEqual([]);
    expect(hideSecrets(words, [])).toBe(words);
  });

  test("has a private key hidden to its end, in lines, in a patch, in JSON, and if its end is missing", () => {
    const [begin, end] = ["BEGIN", "END"].map((word) => `-----${word} PRIVATE KEY-----`);
    const lines = [begin, "MIIE".repeat(16), "abcd".repeat(16), "Zz==", end];
    for (const between of ["\n", "\n+", "\\n"]) expect(hideSecrets(`a ${lines.join(between)} b`, [])).toBe("a *** b");
    expect(hideSecrets(`a ${lines.slice(0, 3).join("\n")}\nb`, [])).toBe("a ***\nb");
    expect(hideSecrets(`say ${begin} and go on`, [])).toBe("say *** and go on");
  });
});
