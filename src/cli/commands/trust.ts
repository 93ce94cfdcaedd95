import type { Register } from "../verb.ts";

/** What of a repository may run. */
export const registerTrust: Register = (parent, shell, run) => {
  const verbs = () => import("../trust-verbs.ts");
  const trust = parent.command("trust").description("what of this repository graftwork may run or tell agents");
  trust
    .command("show")
    .description("the commands and instructions that it brings, their digest, and if you approved them")
    .action(() => run(async () => (await verbs()).show(shell)));
  trust
    .command("allow")
    .description("show them, ask, and approve them until they change")
    .option("--yes", "approve them without a question, as where there is no terminal")
    .option("--settings", "instead: take the repository's git settings, hooks and attributes, as they are now, for yours")
    .action((options: { yes?: boolean; settings?: boolean }) =>
      run(async () =>
        options.settings === true ? (await verbs()).allowSettings(shell) : (await verbs()).allow(shell, options.yes === true),
      ),
    );
  trust
    .command("revoke")
    .description("take the approval back")
    .action(() => run(async () => (await verbs()).revoke(shell)));
};
