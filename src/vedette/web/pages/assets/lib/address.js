// Where we are: the page and what it is asked to show, so that every view has an address.
import { reactive } from "vue";
import { ROOT } from "./api.js";
import { PAGES } from "../pages/index.js";

export const here = reactive({ page: null, params: {}, query: {}, path: "" });

export const cameraHref = (name) => `/camera/${encodeURIComponent(name)}`;
export const href = (path, query = {}) => ROOT + path + words(query);

function words(query) {
  const left = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  const found = new URLSearchParams(left.map(([name, value]) => [name, String(value)])).toString();
  return found ? `?${found}` : "";
}

export function pageAt(pathname) {
  const path = pathname.startsWith(ROOT) ? pathname.slice(ROOT.length) || "/" : pathname;
  for (const page of PAGES) {
    const found = page.at?.exec(path);
    if (found) return { page, path, params: { name: found[1] === undefined ? undefined : decodeURIComponent(found[1]) } };
  }
  return null;
}

export function lookWhere() {
  const found = pageAt(location.pathname);
  Object.assign(here, {
    page: found?.page ?? null, path: found?.path ?? location.pathname, params: found?.params ?? {},
    query: Object.fromEntries(new URLSearchParams(location.search)),
  });
}

// To another page of ours; elsewhere the browser goes itself.
export function go(path, query = {}) {
  const target = href(path, query);
  const found = pageAt(new URL(target, location.href).pathname);
  if (!found || found.page.elsewhere || here.page?.elsewhere) return void (location.href = target);
  history.pushState(null, "", target);
  lookWhere();
  window.scrollTo(0, 0);
}

// Filters and the like: no step back for each letter.
export function setQuery(changes) {
  Object.assign(here.query, changes);
  for (const [name, value] of Object.entries(here.query))
    if (value === null || value === undefined || value === "" || value === false) delete here.query[name];
  history.replaceState(null, "", href(here.path, here.query));
}

// Plain links stay plain: they open in new tabs, and are copied. Only a plain click stays on this page.
export function followLinks(event) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.("a[href]");
  if (!link || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.href, location.href);
  if (url.origin !== location.origin || (url.hash && url.pathname === location.pathname)) return;
  const found = pageAt(url.pathname);
  if (!found || found.page.elsewhere || here.page?.elsewhere) return;
  event.preventDefault();
  go(found.path, Object.fromEntries(url.searchParams));
}

window.addEventListener("popstate", lookWhere);
