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
const HOOKS: Protection = { what: "what git, shells and editors run" };
/** For the files that approved commands run (`commandFiles`), whatever their names are. */
export const COMMANDS: Protection = { what: "what sets up slots, starts agents and regenerates files" };
export const INSTALLER: Protection = { what: "which package manager installs, and how" };
const ATTRIBUTES: Protection = { what: "how git converts, merges and shows files", part: programAttributes };

/** Names of agent clients' folders, at any depth. */
const AGENT_FOLDERS =
  "agents|aider[^/]*|amazonq|amp|augment|claude|claude-plugin|cline|clinerules|codex|continue|crush|cursor|devin|factory|gemini|goose|junie|kilocode|kiro|opencode|openhands|qwen|roo|rules|trae|windsurf|zed";
/** Names of files that agent clients read, at any depth. */
const AGENT_FILES =
  "(?:claude|agents)(?:\\.local|\\.override)?\\.md|(?:agent|conventions|copilot-instructions|crush|gemini|qwen|warp)\\.md|\\.(?:cursor|windsurf|cline|roo)rules|\\.roomodes|\\.goosehints|\\.mcp\\.json|\\.worktreeinclude";
const CI_FOLDERS =
  "azure-pipelines|azuredevops|buildkite|builds|circleci|codefresh|forgejo|gitea|github|gitlab|harness|semaphore|teamcity|tekton|woodpecker";
const CI_FILES =
  "\\.?(?:gitlab-ci|travis|drone|woodpecker|appveyor|cirrus|buildkite|azure-pipelines|bitbucket-pipelines|buildspec|cloudbuild)(?:[.-][^/]*)?\\.(?:ya?ml|star|jsonnet)|jenkinsfile[^/]*";
const HOOK_PATHS =
  "\\.(?:husky|githooks|git-hooks|vscode|devcontainer|mise)(?:/.*)?|\\.?(?:lefthook|overcommit|mise)(?:[.-][^/]*)?\\.(?:ya?ml|toml|json)|\\.pre-commit-(?:config|hooks)\\.yaml|\\.devcontainer\\.json|\\.envrc|\\.tool-versions|\\.lfsconfig|\\.gitmodules";

/** Patterns of paths in lower case, since some disks ignore case. A folder's own name matches too: it may be a link. */
const PROTECTED: readonly (readonly [RegExp, Protection])[] = [
  [new RegExp(`(?:^|/)\\.(?:${AGENT_FOLDERS})(?:/|$)`, "s"), AGENTS],
  [new RegExp(`(?:^|/)(?:${AGENT_FILES})$`, "s"), AGENTS],
  [new RegExp(`^(?:\\.(?:${CI_FOLDERS})|azure-pipelines)(?:/|$)`, "s"), CI],
  [new RegExp(`(?:^|/)(?:${CI_FILES})$`, "s"), CI],
  [new RegExp(`(?:^|/)(?:${HOOK_PATHS})$`, "s"), HOOKS],
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

/** Attributes by which git runs no program and blends nothing without a conflict. Any other name may be a macro (`[attr]`) that includes a filter. */
const PLAIN_ATTRIBUTE =
  /^[-!]?(?:text|eol|crlf|ident|whitespace|export-ignore|export-subst|delta|encoding|binary|conflict-marker-size|lockable|linguist-[\w-]+|gitlab-[\w-]+)(?:=.*)?$|^[-!](?:diff|merge)$|^merge=(?:binary|text)$/;

/**
 * Returns the lines that make git run a program on files or convert them, directly or by a macro. Git LFS runs nothing of the work's
 * choosing; QA says what is wrong with a file whose content it does not have.
 */
function programAttributes(text: string): string {
  return text
    .split("\n")
    .map((line) => line.replace(/\s(?:filter|merge|diff)=lfs(?=\s|$)/g, "").trim())
    .filter(
      (line) =>
        !line.startsWith("#") &&
        line
          .split(/\s+/)
          .slice(1)
          .some((word) => !PLAIN_ATTRIBUTE.test(word)),
    )
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
