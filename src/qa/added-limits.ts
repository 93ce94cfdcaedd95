import { count, GraftworkError } from "../domain/index.ts";
import { exportLimits, listPaths, type Oid, type Repository, readFileAt } from "../git/index.ts";
import type { Judging } from "./judging.ts";

/**
 * Returns why a checkout of the work could not be made, if the base has no such thing: a submodule, or a filter such as
 * Git LFS. Returns null for every other error, and if the base has it too.
 */
export async function addedLimits({ repository, request }: Judging, error: unknown): Promise<string | null> {
  if (!(error instanceof GraftworkError) || error.code !== "QA_BLOCKED") return null;
  const { filtered, submodules } = error.details;
  if (filtered === undefined && submodules === undefined) return null;
  const [now, before] = [await exportLimits(repository, request.commit), await exportLimits(repository, request.base)];
  const [module] = now.submodules;
  if (module !== undefined && before.submodules.length === 0)
    return `the commit adds the git repository ${JSON.stringify(module)} as a submodule, and the base has none, so its files would be missing. Take it out (\`git rm --cached\`), and add its files without their \`.git\` folder if the project needs them`;
  const [first] = now.filtered;
  if (first === undefined || (await namesFilter(repository, request.base, first.filter))) return null;
  return `the commit puts ${count(now.filtered.length, "file")} through the git filter \`${first.filter}\` (${JSON.stringify(first.path)} first), and the base has no such filter. Take \`filter=${first.filter}\` out of .gitattributes, and commit the files themselves`;
}

async function namesFilter(repository: Repository, base: Oid, filter: string): Promise<boolean> {
  const paths = (await listPaths(repository, base)).filter((path) => /(?:^|\/)\.gitattributes$/.test(path));
  for (const path of paths) if ((await readFileAt(repository, base, path))?.includes(`filter=${filter}`) === true) return true;
  return false;
}
