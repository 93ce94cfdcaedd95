import { delimiter, isAbsolute, join, sep } from "node:path";
import type { FreshCheckout } from "./fresh-checkout.ts";

type Environment = Readonly<Record<string, string>>;
type Parent = Readonly<NodeJS.ProcessEnv>;

const LET_THROUGH = /^(?:PATH|LANG|LANGUAGE|TZ|LC_\w+)$/;

/**
 * What the project's programs may see of the parent's environment: programs and language, and what `names` (`qa.env`)
 * lets through. A verdict depends on it, so it is part of its key.
 */
export function visibleEnvironment(parent: Parent, names: readonly string[], root: string): Environment {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(parent))
    if (value !== undefined && (LET_THROUGH.test(name) || names.some((pattern) => matches(pattern, name)))) passed[name] = value;
  return { ...passed, PATH: programsPath(parent["PATH"], root) };
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/**
 * PATH without what only the user's checkout has: `npx graftwork` puts its `node_modules/.bin` there, and a runner
 * that the work does not install would be found in it.
 */
export function programsPath(path: string | undefined, root: string): string {
  const folders = (path ?? "/usr/local/bin:/usr/bin:/bin").split(delimiter);
  const foreign = (folder: string): boolean =>
    /(?:^|\/)node_modules\/(?:\.bin|.*node-gyp-bin)\/?$/.test(folder) || folder === root || folder.startsWith(root + sep);
  return folders.filter((folder) => isAbsolute(folder) && !foreign(folder)).join(delimiter);
}

/** The environment of the project's own programs in `checkout`. */
export function projectEnvironment(visible: Environment, checkout: FreshCheckout): Environment {
  return {
    ...visible,
    PATH: `${join(checkout.dir, "node_modules", ".bin")}${delimiter}${visible["PATH"] ?? ""}`,
    ...placesOf(checkout),
    CI: "1",
    // npm would find the user's settings by the home folder that the system knows, and obeys those of the project.
    npm_config_userconfig: join(checkout.home, ".npmrc"),
    npm_config_cache: join(checkout.home, ".npm"),
    npm_config_script_shell: "/bin/sh",
    npm_config_node_options: " ",
    npm_config_update_notifier: "false",
  };
}

/**
 * The parent's environment as an install sees it: the same empty home, but the user's registry settings and npm's
 * cache, whose content npm checks by the lockfile. No code of the work runs in an install.
 */
export function installParent(parent: Parent, checkout: FreshCheckout, root: string, userConfig: string | undefined): Environment {
  const home = parent["HOME"];
  const entries = Object.entries(parent).filter(([name, value]) => value !== undefined && !name.startsWith("XDG_"));
  return {
    ...(home === undefined ? {} : { npm_config_cache: join(home, ".npm") }),
    ...(userConfig === undefined ? {} : { npm_config_userconfig: userConfig }),
    ...(Object.fromEntries(entries) as Record<string, string>),
    PATH: programsPath(parent["PATH"], root),
    ...placesOf(checkout),
  };
}

function placesOf({ home, tmp }: FreshCheckout): Environment {
  return { HOME: home, TMPDIR: tmp, TMP: tmp, TEMP: tmp };
}
