import { valueOf } from "./json-members.ts";
import type { Member } from "./keyed.ts";

/** `"@scope/` of a key as it is written. */
const SCOPE = /^"@[^/"]+\//;

/** True where packages of one scope would have more versions than on either side: one side added one at its version. */
export function breaksLockstep(sides: readonly (readonly Member[])[], merged: readonly Member[]): boolean {
  const scopes = new Set(merged.map(({ key }) => SCOPE.exec(key)?.[0]).filter((scope) => scope !== undefined));
  const versions = (members: readonly Member[], scope: string): number =>
    new Set(members.filter(({ key }) => key.startsWith(scope)).map(({ text }) => valueOf(text))).size;
  return [...scopes].some((scope) => versions(merged, scope) > Math.max(...sides.map((side) => versions(side, scope))));
}
