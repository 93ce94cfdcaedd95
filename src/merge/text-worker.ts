import { parentPort } from "node:worker_threads";
import { doTextWork, type TextWork } from "./text-work.ts";

/** The other thread: does one piece of work after the other. What it throws is the answer too. */
parentPort?.on("message", (work: TextWork) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, and no window
  const say = (answer: object): void => parentPort?.postMessage(answer);
  doTextWork(work).then(
    (result) => say({ result }),
    (error: unknown) => say({ error: error instanceof Error ? error.message : String(error) }),
  );
});
