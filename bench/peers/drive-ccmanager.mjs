// ccmanager makes worktrees from its screen; this calls the class behind it as the screen does.
// Arguments: the package's folder, then `create PATH BRANCH`, `remove PATH` or `merge BRANCH TARGET`; the current folder is
// the repository.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [found, verb, first, second] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(file).href);
const { WorktreeService } = await load(join(found, "dist/services/worktreeService.js"));
const { Effect } = await load(createRequire(join(found, "dist/cli.js")).resolve("effect"));
// Its program does this first.
const { worktreeConfigManager } = await load(join(found, "dist/services/worktreeConfigManager.js"));
worktreeConfigManager.initialize(process.cwd());
const service = new WorktreeService(process.cwd());
const doing = {
  create: () => service.createWorktreeEffect(first, second, "main"),
  remove: () => service.deleteWorktreeEffect(first),
  merge: () => service.mergeWorktreeEffect(first, second),
};
await Effect.runPromise(doing[verb]());
