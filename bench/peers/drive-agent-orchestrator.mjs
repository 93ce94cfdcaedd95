// The workspace plugin of agent-orchestrator has no program of its own; this calls it as the orchestrator does.
// Arguments: the package's folder, then `create FOLDER BRANCH` or `remove PATH`; the current folder is the repository.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [found, verb, path, branch] = process.argv.slice(2);
const plugin = await import(pathToFileURL(join(found, "dist/index.js")).href);
const workspace = plugin.create(verb === "create" ? { worktreeDir: path } : undefined);
const project = { path: process.cwd(), defaultBranch: "main" };
await (verb === "create" ? workspace.create({ projectId: "bench", sessionId: branch, branch, project }) : workspace.destroy(path));
