/** Text as one word of a command line that people copy: quoted where a shell would read more into it. */
export function shellWord(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A command as people would type it. */
export function commandText(run: string | readonly string[]): string {
  return typeof run === "string" ? run : run.map(shellWord).join(" ");
}
