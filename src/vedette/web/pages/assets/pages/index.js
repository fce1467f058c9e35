// The pages there are: their addresses, the letter after `g`, and the module that draws each.
// `elsewhere`: not one of ours alone; the browser goes there.

export const PAGES = [
  { name: "fleet", title: "Fleet", at: /^\/$/, path: "/", key: "f", load: () => import("./fleet.js") },
  { name: "camera", title: "Camera", at: /^\/camera\/([^/]+)$/, load: () => import("./camera.js") },
  { name: "gaps", title: "Gaps", at: /^\/gaps$/, path: "/gaps", key: "g", load: () => import("./gaps.js") },
  { name: "accuracy", title: "Accuracy", at: /^\/accuracy$/, path: "/accuracy", key: "a", load: () => import("./accuracy.js") },
  { name: "review", title: "Review", at: /^\/review$/, path: "/review", key: "r", elsewhere: true },
  { name: "system", title: "System", at: /^\/system$/, path: "/system", key: "s", load: () => import("./system.js") },
];
