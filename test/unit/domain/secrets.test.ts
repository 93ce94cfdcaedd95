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
});
