// Its own file, imported at the first contention: most commands never meet another writer. A static import, since the
// bundler cannot see the names of a CommonJS package that is imported dynamically.
export { lock } from "proper-lockfile";
