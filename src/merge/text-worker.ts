import { parentPort } from "node:worker_threads";
import { doTextWork, type TextWork } from "./text-work.ts";

/** The other thread: does one piece of work after the other. What it throws is the answer too. */
parentPort?.on("message", (work: TextWork) => {
  doTextWork(work).then(
    (result) => parentPort?.postMessage({ result }),
    (error: unknown) => parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) }),
  );
});
