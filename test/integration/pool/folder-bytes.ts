import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Every path below a folder, as latin1 (one letter a byte: names need not be UTF-8), with kind, mode and bytes. */
export type FolderBytes = Map<string, string>;

const NOT_BYTES = "special";

/** What is in a folder, links not followed. Empty folders are in it, a worktree's own `.git` file is not. */
export function folderBytes(root: string): FolderBytes {
  const found: FolderBytes = new Map();
  const look = (path: Buffer, name: string): void => {
    const entries = readdirSync(path, { encoding: "buffer" });
    if (entries.length === 0) found.set(`${name}/`, "empty folder");
    for (const entry of entries) {
      const [below, label] = [join(path, entry), name === "" ? entry.toString("latin1") : `${name}/${entry.toString("latin1")}`];
      if (label === ".git") continue;
      const stat = lstatSync(below);
      if (stat.isDirectory()) look(below, label);
      else found.set(label, textOf(below));
    }
  };
  look(Buffer.from(root), "");
  return found;
}

function textOf(path: Buffer): string {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return `link ${readlinkSync(path, { encoding: "buffer" }).toString("latin1")}`;
  if (!stat.isFile()) return NOT_BYTES;
  return `${(stat.mode & 0o100) === 0 ? "file" : "program"} ${readFileSync(path).toString("latin1")}`;
}

/** Without what no copy can hold: pipes, sockets, and folders that are empty. */
export function heldBytes(bytes: FolderBytes): FolderBytes {
  return new Map([...bytes].filter(([path, text]) => !path.endsWith("/") && text !== NOT_BYTES));
}

export function join(folder: Buffer, name: Buffer | string): Buffer {
  return Buffer.concat([folder, Buffer.from("/"), Buffer.from(name)]);
}
