// What the address asks for, as the API takes it.
import { addressOf } from "vedette-pages";

const NAMES_AT_MOST = 150;

export const tooMany = (names) => (names?.length ?? 0) > NAMES_AT_MOST;

// Names of a site's cameras; null where none is chosen.
export function inSite(query, fleet) {
  if (!query.site) return null;
  return fleet.filter((each) => each.site === query.site && (!query.camera || each.name === query.camera)).map((each) => each.name);
}

export function asked({ since, until, camera, cause, kind, open, node }, names) {
  let cameras = camera ? [camera] : [];
  if (names && !tooMany(names) && names.length) cameras = names;
  return { since: since || "24h", until: until || "now", camera: cameras, cause: cause ? cause.split(",") : [], kind: kind ? kind.split(",") : [], open: open ? "true" : null, node: node || null };
}

export const addressFor = addressOf;
