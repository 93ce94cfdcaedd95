import { existsSync, lstatSync, readlinkSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { dependencyKey } from "../checkout/index.ts";
import { count, humanDuration, humanSize } from "../domain/index.ts";
import { configValue, lockFiles, pinSettings, plantedSettings, plantedText, setConfigValue, undoPlanted } from "../git/index.ts";
import { changedFacts, litterOf, readText, removeLitter, removeTrusted, rmSync, storeProblem } from "../state/index.ts";
import { findProcesses } from "../subprocess/index.ts";
import { commitIfMine } from "./commit-mine.ts";
import type { PoolContext } from "./context.ts";
import { bytesNeeded, freeBytes, sizeOnDisk } from "./disk-space.ts";
import { hydrate } from "./hydrate.ts";
import type { PoolState, PoolStore } from "./pool-state.ts";
import { KEPT_DAYS, oldRescues } from "./rescue-verbs.ts";
import { excludeOwnFiles, missingExcludes, poolView, poolViewPath, relinkPool, writePoolView } from "./view.ts";

export type SurroundingKind =
  | "settings-planted"
  | "core-bare"
  | "disk-low"
  | "trash-large"
  | "rescues-old"
  | "lock-left"
  | "dependencies-stale"
  | "view-stale"
  | "exclude-missing"
  | "link-missing"
  | "slots-inside"
  | "litter"
  | "state-folder"
  | "facts-changed";

/** Something beside the slots that is not as it should be, and what puts it right; no `fix`: a person's to do. */
export type Surrounding = { kind: SurroundingKind; subject: string; text: string; repair: string; fix?: () => Promise<void> | void };

/** An hour: no git command of ours keeps a private index so long. */
const LITTER_AFTER_MS = 3_600_000;

/** Looks at settings, disk, locks, views and leftovers around the slots. */
export async function surroundings(context: PoolContext, store: PoolStore): Promise<Surrounding[]> {
  const { state } = store.read();
  return [
    ...(await settings(context, state)),
    ...disk(context, state),
    ...locks(context, state),
    ...dependencies(context, store, state),
    ...(await views(context, store, state)),
    ...leftovers(context),
    ...stateFolder(context),
    ...(await rescues(context)),
  ];
}

async function settings(context: PoolContext, state: PoolState): Promise<Surrounding[]> {
  const { repository } = context;
  // While no task is at work, what is set is the user's doing, as in `guardSettings`.
  const isAtWork = state.slots.some((slot) => slot.lease !== null);
  const planted = isAtWork ? await plantedSettings(repository) : [];
  const bare = (await configValue(repository, "core.bare")) === "true" && !planted.some(({ name }) => name === "core.bare");
  return [
    ...planted.map(
      (one): Surrounding => ({
        kind: "settings-planted",
        subject: one.name,
        text: `changed while tasks were at work: ${plantedText(one)}`,
        repair: "put back what was there before; what was planted is kept in graftwork/planted",
        fix: () => undoPlanted(repository, [one]),
      }),
    ),
    ...(bare
      ? [
          {
            kind: "core-bare" as const,
            subject: "core.bare",
            text: `core.bare is true, so git refuses to work in ${repository.root}`,
            repair: "git config core.bare false",
            fix: async () => {
              const others = isAtWork ? await plantedSettings(repository) : [];
              await setConfigValue(repository, "core.bare", "false");
              // Else the repair itself would be taken for a task's doing, and undone.
              if (others.length === 0) await pinSettings(repository);
            },
          },
        ]
      : []),
  ];
}

function disk(context: PoolContext, state: PoolState): Surrounding[] {
  const found: Surrounding[] = [];
  const [free, needed] = [freeBytes(state.dir), bytesNeeded(state, 0)];
  if (free !== undefined && free < needed)
    found.push({
      kind: "disk-low",
      subject: state.dir,
      text: `only ${humanSize(free)} are free on the disk of the slots; acquire needs ${humanSize(needed)}`,
      repair: "free some space, or make the pool smaller",
    });
  const trash = join(state.dir, "trash");
  const size = sizeOnDisk(trash);
  if (size > context.settings.trashMaxBytes)
    found.push({
      kind: "trash-large",
      subject: trash,
      text: `the trash holds ${humanSize(size)}, more than pool.trash_max (${humanSize(context.settings.trashMaxBytes)})`,
      repair: `look through ${trash}, and delete what nobody misses (\`pool-manager rescue prune\` deletes what is older than ${KEPT_DAYS} days)`,
    });
  if (`${state.dir}${sep}`.startsWith(`${context.repository.root}${sep}`))
    found.push({
      kind: "slots-inside",
      subject: state.dir,
      text: "the slots are inside of the checkout, where `git clean -ffdx` deletes them",
      repair: "set pool.dir to a folder beside the repository, then `pool-manager reset`",
    });
  return found;
}

/** Locks of a killed git: in a slot that nobody works in they are removed, in the repository they are named. */
function locks({ repository, now }: PoolContext, state: PoolState): Surrounding[] {
  return lockFiles(repository).flatMap(({ path, worktree, modifiedMs }): Surrounding[] => {
    const age = now().getTime() - modifiedMs;
    const slot = state.slots.find((one) => one.admin === worktree);
    const isInUse =
      slot !== undefined &&
      (slot.worker !== null || findProcesses({ markers: [`GRAFTWORK_SLOT_PATH=${slot.path}`], folders: [slot.path] }).length > 0);
    if (age < 60_000 || isInUse) return [];
    const about = {
      kind: "lock-left" as const,
      subject: path,
      text: `${path} is ${humanDuration(age)} old: the git that made it was probably killed`,
    };
    if (slot === undefined) return [{ ...about, repair: `see that no git is running, then delete it` }];
    return [{ ...about, repair: "delete it: nothing runs in that slot", fix: () => rmSync(path, { force: true }) }];
  });
}

function dependencies(context: PoolContext, store: PoolStore, state: PoolState): Surrounding[] {
  if (context.settings.setup !== "auto") return [];
  return state.slots
    .filter((slot) => slot.status === "idle" && existsSync(slot.path))
    .flatMap((slot): Surrounding[] => {
      const key = dependencyKey(slot.path);
      if (key === null || key === slot.dependencies?.key) return [];
      return [
        {
          kind: "dependencies-stale",
          subject: slot.id,
          text: `${slot.id}: its dependencies are not those of its lockfile${slot.lastError === null ? "" : ` (${slot.lastError.split("\n")[0]})`}`,
          repair: "install them now; else the next acquire does",
          fix: async () => {
            const ready = await hydrate(context, slot);
            await commitIfMine(store, slot, ready);
            if (ready.lastError !== null) throw new Error(ready.lastError);
          },
        },
      ];
    });
}

async function views(context: PoolContext, store: PoolStore, state: PoolState): Promise<Surrounding[]> {
  const { repository } = context;
  const found: Surrounding[] = [];
  const path = poolViewPath(repository);
  if (await isViewStale(context, store))
    found.push({
      kind: "view-stale",
      subject: path,
      text: `${path} is not what the pool's state says`,
      repair: "write it again",
      fix: () => writePoolView(repository, store),
    });
  if (missingExcludes(repository).length > 0)
    found.push({
      kind: "exclude-missing",
      subject: "info/exclude",
      text: "graftwork's own files would show in `git status`",
      repair: "add them to info/exclude",
      fix: () => excludeOwnFiles(repository),
    });
  const link = join(repository.root, ".claude", "worktree-pool");
  const stat = lstatSync(link, { throwIfNoEntry: false });
  if (stat === undefined || (stat.isSymbolicLink() && readlinkSync(link) !== state.dir))
    found.push({
      kind: "link-missing",
      subject: link,
      text: `${link} does not lead to the slots`,
      repair: "make the link again",
      fix: () => relinkPool(repository, state.dir),
    });
  return found;
}

/** Where a verb is at work the view follows when it is done: it is looked at for as long as that last step takes. */
async function isViewStale({ repository }: PoolContext, store: PoolStore): Promise<boolean> {
  for (let looks = 1; ; looks++) {
    const { state } = store.read();
    if (state.slots.some((slot) => slot.worker !== null)) return false;
    if (readText(poolViewPath(repository)) === `${JSON.stringify(poolView(state), null, 2)}\n`) return false;
    if (looks === 5) return true;
    await delay(100);
  }
}

/** The user's state folder: what lies there decides, so what is missing or forged has to be known. */
function stateFolder({ repository }: PoolContext): Surrounding[] {
  const { trusted } = repository.layout;
  const problem = storeProblem(repository.layout);
  if (problem !== undefined)
    return [
      {
        kind: "state-folder",
        subject: trusted,
        text: `your state folder cannot be used, so no answer and no verdict is kept: ${problem}`,
        repair: "make it writable for you, or name another (XDG_STATE_HOME)",
      },
    ];
  const changed = changedFacts(trusted);
  if (changed.length === 0) return [];
  return [
    {
      kind: "facts-changed",
      subject: trusted,
      text: `${count(changed.length, "file")} in your state folder that graftwork did not write like that: ${changed.slice(0, 5).join(", ")}`,
      repair: "delete them: they count for nothing",
      fix: () => {
        for (const name of changed) removeTrusted(trusted, name);
      },
    },
  ];
}

function leftovers({ repository }: PoolContext): Surrounding[] {
  const litter = litterOf(repository.layout, LITTER_AFTER_MS, [dirname(poolViewPath(repository))]);
  if (litter.length === 0) return [];
  return [
    {
      kind: "litter",
      subject: dirname(litter[0] ?? ""),
      text: `${count(litter.length, "temporary file")} of killed processes`,
      repair: "delete them",
      fix: () => removeLitter(litter),
    },
  ];
}

async function rescues(context: PoolContext): Promise<Surrounding[]> {
  const old = await oldRescues(context);
  if (old.length === 0) return [];
  return [
    {
      kind: "rescues-old",
      subject: "rescues",
      text: `${count(old.length, "rescue")} older than ${KEPT_DAYS} days: ${old
        .slice(0, 5)
        .map(({ id }) => id)
        .join(", ")}`,
      repair: "`pool-manager rescue prune` deletes them, once nobody needs them",
    },
  ];
}
