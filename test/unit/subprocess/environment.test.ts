import { expect, test } from "vitest";
import { childEnvironment } from "../../../src/subprocess/index.ts";

const parent = {
  PATH: "/bin",
  HOME: "/home/a",
  LC_ALL: "C",
  SECRET: "s",
  GIT_DIR: "/x",
  NODE_OPTIONS: "-r x",
  npm_config_script_shell: "/x",
  APP_ONE: "1",
  APP: "2",
  NONE: undefined,
};

test.for<[names: string[], fixed: Record<string, string>, expected: Record<string, string>]>([
  [[], {}, {}],
  [["SECRET"], {}, { SECRET: "s" }],
  [["APP_*"], {}, { APP_ONE: "1" }],
  [["NONE", "MISSING"], {}, {}],
  [[], { PATH: "/other", X: "y" }, { PATH: "/other", X: "y" }],
  [["SECRET"], { SECRET: "fixed" }, { SECRET: "fixed" }],
])("names %j, fixed %j", ([names, fixed, expected]) => {
  expect(childEnvironment(parent, names, fixed)).toEqual({ PATH: "/bin", HOME: "/home/a", LC_ALL: "C", ...expected });
});
