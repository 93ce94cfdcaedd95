import * as fc from "fast-check";
import { expect, test } from "vitest";
import { renderTemplate, type TemplateValues } from "../../../src/agents/template.ts";

const values = { name: "Ann", empty: "", none: [], list: [{ item: "a" }, { item: "b" }] };

test.for<[template: string, text: string]>([
  ["Hello {{name}}, {{ name }}!", "Hello Ann, Ann!"],
  ["{{#name}}is {{name}}{{/name}}{{#empty}}never{{/empty}}", "is Ann"],
  ["{{^name}}never{{/name}}{{^empty}}no text{{/empty}} {{^none}}no items{{/none}}", "no text no items"],
  ["{{#list}}<{{item}} of {{name}}>{{/list}}", "<a of Ann><b of Ann>"],
  ["a\n{{#list}}\n- {{item}}\n{{/list}}\nb\n", "a\n- a\n- b\nb\n"],
  ["a\n  {{#empty}}  \n- x\n  {{/empty}}\nb", "a\nb"],
  ["{{#list}}\n{{#name}}\n{{item}}\n{{/name}}\n{{/list}}", "a\nb\n"],
  ["  {{name}}\n", "  Ann\n"],
  ["no tags { {name} }", "no tags { {name} }"],
])("%j", ([template, text]) => {
  expect(renderTemplate(template, values)).toBe(text);
});

test.for<[template: string, message: string]>([
  ["{{nmae}}", "{{nmae}} is not known"],
  ["{{#nmae}}x{{/nmae}}", "{{nmae}} is not known"],
  ["{{item}}", "{{item}} is not known"],
  ["{{constructor}}", "{{constructor}} is not known"],
  ["{{list}}", "{{list}} is a list"],
  ["{{a b}}", "is not a tag"],
  ["{{}}", "is not a tag"],
  ["{{#name}}x", "{{#name}} is never closed"],
  ["{{#name}}x{{/list}}", "{{/list}} closes nothing"],
  ["x{{/name}}", "{{/name}} closes nothing"],
])("%j is refused", ([template, message]) => {
  expect(() => renderTemplate(template, values)).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringContaining(message) }),
  );
});

test("what a value holds is never read as a tag", () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom("{{name}}", "{{#name}}", "$&", "{{/x}}"), (text, tag) => {
      const hostile: TemplateValues = { name: `${tag}${text}` };
      expect(renderTemplate("[{{name}}]", hostile)).toBe(`[${tag}${text}]`);
    }),
  );
});
