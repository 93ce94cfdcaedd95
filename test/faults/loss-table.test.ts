import { CLASSES, losesNothing, VERB_NAMES } from "../integration/pool/loss-table.ts";

for (const verb of VERB_NAMES) losesNothing(verb, CLASSES);
