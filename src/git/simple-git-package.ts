// Its own file, imported where a log is shown to people: no other verb pays for loading the library.
export { simpleGit } from "simple-git";
