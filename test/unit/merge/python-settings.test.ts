import { expect, test } from "vitest";
import { pyprojectInstallers, setupInstallers } from "../../../src/merge/python-settings.ts";

const PROJECT = '[project]\nname = "x"\ndependencies = [\n  "a[b]>1",\n]\n\n[tool.ruff]\nexclude = ["a"]\nlong = """\nx [\n"""\n';

test.for([
  '[tool.uv]\nindex-url = "https://r"\n',
  '[[tool.uv.index]]\nurl = "https://r"\n',
  '[ tool . "uv" ] # x\nindex-url = "https://r"\n',
  '["tool".uv.sources]\nx = { url = "https://r" }\n',
  '[tool]\nuv.index-url = "https://r"\n',
  '[tool]\nuv = { index-url = "https://r" }\n',
  '[tool.poetry]\nsource = [\n  { url = "https://r" },\n]\n',
  '[[tool.poetry.source]]\nurl = "https://r"\n',
  '[tool.poetry.requires-plugins]\nurl = "https://r"\n',
  '[build-system]\nbuild-backend = "https://r"\n',
  '[tool.pip]\nindex-url = "https://r"\n',
  '[tool.uv]\na = [\n  ["]"],\n  [b]\n]\nindex-url = "https://r"\n',
  '[tool.uv]\na = """\n[other]\n"""\nindex-url = "https://r"\n',
  '[tool."u\\u0076"]\nindex-url = "https://r"\n',
  '["to\\u006fl"]\nuv.index-url = "https://r"\n',
  '[tool]\n"u\\u0076".index-url = "https://r"\n',
])("a change counts in pyproject.toml with %j", (text) => {
  const before = `${PROJECT}${text}`;
  expect(pyprojectInstallers(before.replace("https://r", "https://evil"))).not.toBe(pyprojectInstallers(before));
  expect(pyprojectInstallers(before)).not.toBe(pyprojectInstallers(PROJECT));
});

test.for([
  ['name = "x"', 'name = "y"'],
  ['"a[b]>1"', '"c"'],
  ["\nx [\n", "\ny\n"],
  ['exclude = ["a"]', "exclude = [\n  'a',\n  '\\.git',\n]"],
])("a change of %j does not count in pyproject.toml", ([from = "", to = ""]) => {
  const text = `[build-system]\nrequires = ["hatchling"]\n\n${PROJECT}`;
  expect(pyprojectInstallers(text.replace(from, to))).toBe(pyprojectInstallers(text));
});

test("a change counts in setup.cfg if it says from where packages come", () => {
  const text = "[metadata]\nname = x\n[options]\nsetup_requires =\n  a\ninstall_requires =\n  b\n[easy_install]\nfind_links = c\n";
  const changed = (from: string): boolean => setupInstallers(text.replace(from, "other")) !== setupInstallers(text);
  expect([changed("  a"), changed("c\n"), changed("find_links"), changed("  b"), changed("x\n")]).toEqual([true, true, true, false, false]);
});
