import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Governed } from "../domain/index.ts";
import { readBelow, readFolder } from "../git/index.ts";

const PLUGINS = ".yarn/plugins";

/**
 * What of a project's folder its package manager runs while it installs, and no option of ours switches off: yarn's plugins,
 * each with a digest of its file, and bun's scanner. Empty for most.
 */
export function installerCode(dir: string): Governed[] {
  const text = (name: string): string => readBelow(dir, name)?.toString("utf8") ?? "";
  const yarn = text(".yarnrc.yml");
  const bun = text("bunfig.toml");
  const settings = yarn.split("\n").filter((line) => /plugin|\bpath:|\bspec:/.test(line));
  return [
    ...(/^\s*plugins\s*:/m.test(yarn)
      ? [
          {
            key: ".yarnrc.yml",
            purpose: "plugins that yarn runs while it installs",
            text: [...settings, ...digestsBelow(dir, PLUGINS)].join("\n"),
          },
        ]
      : []),
    ...(/\bscanner\b/.test(bun) ? [{ key: "bunfig.toml", purpose: "a scanner that bun runs while it installs", text: bun }] : []),
  ];
}

function digestsBelow(dir: string, folder: string): string[] {
  return readFolder(join(dir, folder)).flatMap((entry) => {
    const inside = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return digestsBelow(dir, inside);
    return [
      `${inside} ${createHash("sha256")
        .update(readBelow(dir, inside) ?? "")
        .digest("hex")
        .slice(0, 16)}`,
    ];
  });
}
