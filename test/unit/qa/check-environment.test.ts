import { expect, test } from "vitest";
import { installParent, programsPath, visibleEnvironment } from "../../../src/checkout/project-environment.ts";
import { checkEnvironment } from "../../../src/qa/check-environment.ts";

const checkout = { dir: "/q/tree", home: "/q/home", tmp: "/q/tmp", dispose: () => Promise.resolve() };

test("PATH keeps programs of the machine and drops those of any checkout", () => {
  const path =
    "/usr/bin:/home/me/app/node_modules/.bin:node_modules/.bin::.:/home/me/app/bin:/x/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin:/home/me/apple/bin";
  expect(programsPath(path, "/home/me/app")).toBe("/usr/bin:/home/me/apple/bin");
  expect(programsPath(undefined, "/home/me/app")).toBe("/usr/local/bin:/usr/bin:/bin");
});

test("checks see language and programs, and of the rest only what is named", () => {
  const parent = {
    PATH: "/bin",
    LANG: "C",
    LC_ALL: "C",
    HOME: "/home/me",
    TOKEN: "s",
    CI_X: "1",
    CI_Y: "2",
    SHELL: "/bin/zsh",
    XDG_CACHE_HOME: "/c",
  };
  expect(visibleEnvironment(parent, ["CI_*", "SHELL"], "/r")).toEqual({
    PATH: "/bin",
    LANG: "C",
    LC_ALL: "C",
    CI_X: "1",
    CI_Y: "2",
    SHELL: "/bin/zsh",
  });
});

test("what is fixed for checks cannot be let through in another form", () => {
  const visible = visibleEnvironment(
    { PATH: "/bin", HOME: "/home/me", GRAFTWORK_BASE: "x", TMPDIR: "/t" },
    ["HOME", "GRAFTWORK_*", "TMPDIR"],
    "/r",
  );
  const env = checkEnvironment(visible, checkout, { run: "r", label: "t", base: "b", marker: { GRAFTWORK_QA: "1.a" } });
  expect(env).toMatchObject({
    PATH: "/q/tree/node_modules/.bin:/bin",
    HOME: "/q/home",
    TMPDIR: "/q/tmp",
    GRAFTWORK_RUN: "r",
    GRAFTWORK_TASK_ID: "t",
    GRAFTWORK_BASE: "b",
    GRAFTWORK_QA: "1.a",
  });
  expect(JSON.stringify(env)).not.toContain("/home/me");
});

test("an install has the empty home too, with the user's registry settings and npm's cache", () => {
  const parent = { PATH: "/bin", HOME: "/home/me", XDG_CONFIG_HOME: "/c", npm_config_registry: "http://r" };
  expect(installParent(parent, checkout, "/r", "/home/me/.npmrc")).toEqual({
    PATH: "/bin",
    HOME: "/q/home",
    TMPDIR: "/q/tmp",
    TMP: "/q/tmp",
    TEMP: "/q/tmp",
    npm_config_registry: "http://r",
    npm_config_cache: "/home/me/.npm",
    npm_config_userconfig: "/home/me/.npmrc",
  });
  const named = installParent({ ...parent, npm_config_cache: "/n", npm_config_userconfig: "/u" }, checkout, "/r", "/home/me/.npmrc");
  expect(named).toMatchObject({ npm_config_cache: "/n", npm_config_userconfig: "/u" });
});
