import { pyprojectInstallers, setupInstallers } from "./python-settings.ts";

/** Why a person has to let in a change to a file (trust.md T2, T3). */
export type Protection = {
  /** As messages name it. */
  what: string;
  /** Extracts the part that matters; absent: the whole file. Equal results mean no change. */
  part?: (text: string) => string;
};

const AGENTS: Protection = { what: "what agents are told and may do" };
const CI: Protection = { what: "what CI runs" };
export const INSTALLER: Protection = { what: "which package manager installs, and how" };
const ATTRIBUTES: Protection = { what: "which programs git runs on files", part: programAttributes };

/** Path, in lower case: a disk may not tell cases apart. */
const PROTECTED: readonly (readonly [RegExp, Protection])[] = [
  [/(?:^|\/)(?:\.claude|\.codex|\.cursor|\.gemini|\.opencode|\.aider[^/]*|\.windsurf)(?:\/|$)/, AGENTS],
  [/(?:^|\/)(?:\.worktreeinclude|\.mcp\.json|claude(?:\.local)?\.md|agents\.md|gemini\.md)$/, AGENTS],
  [/(?:^|\/)\.(?:cursorrules|windsurfrules|clinerules)(?:\/|$)/, AGENTS],
  // The name itself counts too: it may be a link to a folder.
  [/^\.(?:github|forgejo|gitea)(?:$|\/(?:workflows|actions)(?:\/|$))|^\.github\/copilot-instructions\.md$/, CI],
  [/^\.(?:circleci|buildkite|gitlab|woodpecker|teamcity)(?:\/|$)/, CI],
  [
    /^(?:\.?(?:gitlab-ci|travis|drone|woodpecker|appveyor|cirrus|buildkite)|azure-pipelines[^/]*|bitbucket-pipelines|cloudbuild)\.ya?ml$/,
    CI,
  ],
  [/^jenkinsfile[^/]*$/, CI],
  [/(?:^|\/)(?:\.npmrc|\.yarnrc[^/]*|\.env\.yarn|\.?bunfig\.toml|\.corepack\.env|\.?pnpmfile\.[cm]?js)$/, INSTALLER],
  [/(?:^|\/)(?:pip\.(?:conf|ini)|\.pypirc|uv\.toml|poetry\.toml)$/, INSTALLER],
  [/(?:^|\/)pyproject\.toml$/, { ...INSTALLER, part: pyprojectInstallers }],
  [/(?:^|\/)setup\.cfg$/, { ...INSTALLER, part: setupInstallers }],
  [/(?:^|\/)(?:\.yarn|\.cargo|\.bundle)(?:$|\/(?!cache\/))/, INSTALLER],
  [/(?:^|\/)package\.json$/, { ...INSTALLER, part: packageManager }],
  [/(?:^|\/)pnpm-workspace\.yaml$/, { ...INSTALLER, part: workspaceSettings }],
  [/(?:^|\/)\.gitattributes$/, ATTRIBUTES],
];

/** Returns why a person has to let in a change to this path; undefined: nobody has to. */
export function protectionOf(path: string): Protection | undefined {
  const lower = path.toLowerCase();
  return PROTECTED.find(([pattern]) => pattern.test(lower))?.[1];
}

/**
 * Lines that tie a filter, a driver or an encoding to paths, or define a name for such. Git LFS runs nothing of the work's
 * choosing; QA says what is wrong with a file whose content it does not have.
 */
function programAttributes(text: string): string {
  return text
    .split("\n")
    .map((line) => line.replace(/\s(?:filter|merge|diff)=lfs(?=\s|$)/g, "").trim())
    .filter((line) => !line.startsWith("#") && /(?:^\[attr\])|(?:\s[-!]?(?:filter|merge|diff|working-tree-encoding)(?:=|\s|$))/.test(line))
    .join("\n");
}

/** What package.json says of the program that installs it. One that is no JSON counts whole. */
function packageManager(text: string): string {
  try {
    // A file that is not there says nothing.
    const manifest: unknown = JSON.parse(text === "" ? "{}" : text);
    if (typeof manifest !== "object" || manifest === null) return "";
    const { packageManager: manager = null, devEngines = null, pnpm = null } = manifest as Record<string, unknown>;
    return JSON.stringify([manager, devEngines, pnpm]);
  } catch {
    return text;
  }
}

/** All of pnpm-workspace.yaml but the lists of packages and versions: the rest are settings. */
function workspaceSettings(text: string): string {
  // YAML knows more line breaks than these lines do.
  if (/\r(?!\n)|[\u0085\u2028\u2029]/.test(text)) return text;
  let isList = false;
  const settings = text.split("\n").filter((line) => {
    if (/^[^\s#-]/.test(line)) isList = /^(?:packages|catalogs?)\s*:\s*(?:#.*)?$/.test(line);
    return !isList && line.trim() !== "" && !line.trim().startsWith("#");
  });
  return settings.join("\n");
}
