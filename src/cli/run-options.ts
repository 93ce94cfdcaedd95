/** Options of the verbs of the main job, as the command line gives them. */
export type RunOptions = { task?: string[]; into?: string; merge: boolean; oneGroup?: boolean; yes?: boolean };
export type ContinueOptions = { run?: string; oneGroup?: boolean; all?: boolean; replan?: boolean; takeOver?: boolean };
export type ResolveOptions = {
  run?: string;
  open?: boolean;
  ours?: string[];
  theirs?: string[];
  takeFile?: string[];
  done?: boolean;
  skip?: boolean;
  retryAgent?: boolean;
};
