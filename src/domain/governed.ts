/** One thing of a repository that graftwork runs, or hands to an agent as its instructions. */
export type Governed = {
  /** Where it stands: a key of the configuration, or a file's path. */
  key: string;
  /** What it is for, as a question says it: `to set up each slot`. */
  purpose: string;
  /** What is run, a command a line; or the file's text. */
  text: string;
};

/** What an approval says of one: it counts for this key with this text, whatever the words about it. */
export type GovernedText = Pick<Governed, "key" | "text">;
